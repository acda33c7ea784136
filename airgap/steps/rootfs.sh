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
PROBE=(iputils-ping bind9-dnsutils curl iperf3 tcpdump busybox-static)
CILIUM=(ipset libclang-cpp19 libllvm19)
# Not with its dependencies: those are for C++ programs for this machine. Cilium compiles freestanding C for BPF,
# with headers of its own.
CLANG=(clang-19)

"$here/../engine/packages.sh" mmdebstrap

join() { local IFS=,; printf '%s' "$*"; }

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
