#!/usr/bin/env bash
# image.sh IMAGE PACKAGE...: an image with these Debian packages is in the container engine when this ends. From the
# public Debian image where Docker Hub answers, else from Debian's own packages; the same packages either way.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:?an image} suite=bookworm
shift
content=$(printf '%s\n' "$suite" "$@" | sha256sum | cut -c1-16)
label=cni-migration.bench

# An engine that does not answer is no engine without the image.
docker info >/dev/null
if [[ $(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$image" 2>/dev/null) == "$content" ]]; then
  exit 0
fi

if timeout 120 docker pull --quiet "debian:$suite-slim" >&2; then
  docker build --tag "$image" --label "$label=$content" - >&2 <<DOCKERFILE
FROM debian:$suite-slim
RUN apt-get update && apt-get install --yes --no-install-recommends $* && rm -rf /var/lib/apt/lists/*
DOCKERFILE
  exit 0
fi

airgap/engine/packages.sh mmdebstrap
((EUID == 0)) || { echo "image: only root can make a root file system" >&2; exit 1; }
packages=$(IFS=,; printf '%s' "$*")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
# In namespaces of its own, so that its mounts and its children are gone with it however it ends.
TMPDIR=$work unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
  mmdebstrap --quiet --variant=essential --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
  --dpkgopt='force-unsafe-io' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$suite" "$work/root.tar" >&2
docker import --change "LABEL $label=$content" "$work/root.tar" "$image" >&2
