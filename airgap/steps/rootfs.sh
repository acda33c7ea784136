#!/usr/bin/env bash
# One Debian for everything: $OUT/rootfs.tar is the node's root and the lowest layer of
# every Pod image; $OUT/probe.tar and $OUT/clang.tar are what two of the images have on
# top. One bootstrap instead of three, and one copy on disk of what they share.
# The machine's own apt configuration names the mirror.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

NODE=(
  systemd systemd-sysv bash ca-certificates conntrack e2fsprogs ebtables ethtool iproute2 iptables
  kmod libseccomp2 mount nftables procps runc socat util-linux
)
PROBE=(iputils-ping bind9-dnsutils curl iperf3 tcpdump python3 busybox-static)
CILIUM=(ipset libclang-cpp19 libllvm19)
# Not with its dependencies: those are for C++ programs for this machine. Cilium compiles freestanding C for BPF,
# with headers of its own.
CLANG=(clang-19)

# Nothing in the result is younger, so that the same packages make the same files.
export SOURCE_DATE_EPOCH=1700000000

"$here/../engine/packages.sh" mmdebstrap

join() { local IFS=,; printf '%s' "$*"; }

# In namespaces of its own, so that its mounts and its children are gone with it however it ends.
((EUID == 0)) || { echo "rootfs: only root can make a root file system" >&2; exit 1; }
TMPDIR=$OUT unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
  mmdebstrap --variant=essential --include="$(join "${NODE[@]}")" \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Languages "none"' \
  --aptopt='Acquire::Retries "3"' \
  --dpkgopt='force-unsafe-io' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/i18n/*' \
  --customize-hook="'$here/rootfs-layer.sh' \"\$1\" '$OUT/probe.tar' with-dependencies ${PROBE[*]}" \
  --customize-hook="'$here/rootfs-layer.sh' \"\$1\" '$OUT/cilium.tar' with-dependencies ${CILIUM[*]} alone ${CLANG[*]}" \
  --customize-hook="'$here/rootfs-tidy.sh' \"\$1\"" \
  "$PIN_DEBIAN_SUITE" "$OUT/rootfs.tar"
