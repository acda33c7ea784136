#!/usr/bin/env bash
# Installs the named Debian packages that are missing. One caller at a time: apt's own
# lock on its lists makes the second of two fail instead of wait.
set -euo pipefail

missing=()
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=absent
  [[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  printf 'packages: not root; install by hand: apt-get install %s\n' "${missing[*]}" >&2
  exit 1
fi
printf 'packages: installing %s\n' "${missing[*]}" >&2
exec 9>/run/cni-migration-packages.lock
flock 9
export DEBIAN_FRONTEND=noninteractive
# Not with the lock: a service that a package starts would keep it.
apt-get -qq update >&2 9>&-
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" </dev/null >&2 9>&-
