# shellcheck shell=bash
# Runs inside a node: prints how Flannel sends to other nodes, as the kernel has it and whatever an annotation says:
# `vxlan` where routes go by a VXLAN device of Flannel's, `none` otherwise.
set -euo pipefail
links=$(ip -details -oneline link show type vxlan)
while IFS= read -r link; do
  [[ $link =~ ^[0-9]+:\ (flannel\.[0-9]+)(@[^:]+)?:.*\ vxlan\ id\ [0-9]+\  ]] || continue
  routes=$(ip -4 route show dev "${BASH_REMATCH[1]}")
  if [ -n "$routes" ]; then
    printf 'vxlan\n'
    exit
  fi
done <<<"$links"
printf 'none\n'
