#!/usr/bin/env bash
# node-store.sh LAYOUT WORK: writes WORK/store.tar, a layer with /var/lib/containerd that holds every image of LAYOUT
# unpacked: no node has to pull or unpack one.
#
# Kind gives each node a volume for /var and fills it from the image. The snapshots' files are therefore not below
# /var but in /kind/images, with links to them: they are not copied for every node, all nodes read them from one
# place, and a cluster starts as fast with images of 1 GB as with none. (An overlay's lower folders may themselves be
# on an overlay; only its upper one may not, and that one is on the volume.)
set -euo pipefail

# containerd mounts the layers while it unpacks: in a mount and pid namespace of its own nothing is left behind,
# however this ends.
if [[ ${NODE_STORE_INSIDE:-} != yes ]]; then
  ((EUID == 0)) || { echo "node-store: only root can unpack images" >&2; exit 1; }
  NODE_STORE_INSIDE=yes exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$0" "$@"
fi

layout=$1 work=$2
root=$work/tree/var/lib/containerd
rm -rf "$work/tree"
mkdir -p "$root" "$work/tree/kind/images"
# Sockets have short paths only. This one is gone with the namespace.
mount -t tmpfs tmpfs /run
state=/run
cat >"$state/config.toml" <<TOML
version = 3
root = "$root"
state = "$state/run"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt",
]
[grpc]
  address = "$state/sock"
[ttrpc]
  address = "$state/sock.ttrpc"
TOML
PATH=$DEP_CONTAINERD/bin:$PATH
containerd --config "$state/config.toml" --log-level warn &
daemon=$!
ctr() { command ctr --address "$state/sock" --namespace k8s.io "$@"; }

deadline=$((SECONDS + 30))
until ctr version >/dev/null 2>&1; do
  kill -0 "$daemon" || { echo "node-store: containerd has ended" >&2; exit 1; }
  ((SECONDS < deadline)) || { echo "node-store: containerd does not answer" >&2; exit 1; }
  sleep 0.1
done

tar -c -C "$layout" oci-layout index.json blobs |
  ctr images import --local --snapshotter overlayfs --discard-unpacked-layers -
# The layers' archives are of no use any more; this makes containerd collect them, and waits for it.
ctr leases create --id collect >/dev/null
ctr leases delete --sync collect >/dev/null
kill -TERM "$daemon"
wait "$daemon"

# Folders of plugins that hold nothing, and the containerd's own identity, which each node has to make for itself.
find "$root" -mindepth 1 -maxdepth 1 ! -name '*.content.*' ! -name '*.metadata.*' ! -name '*.snapshotter.v1.overlayfs' \
  -exec rm -rf {} +
shopt -s nullglob
for snapshot in "$root"/io.containerd.snapshotter.v1.overlayfs/snapshots/*/; do
  id=$(basename "$snapshot")
  mv "$snapshot/fs" "$work/tree/kind/images/$id"
  ln -s "/kind/images/$id" "$snapshot/fs"
done
[[ -n $(ls -A "$work/tree/kind/images") ]] || { echo "node-store: no snapshots were made" >&2; exit 1; }
tar -c -C "$work/tree" --sort=name --numeric-owner --xattrs --xattrs-include='security.*' -f "$work/store.tar" kind var
