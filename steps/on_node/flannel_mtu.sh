# shellcheck shell=bash
# Runs inside a node: prints the MTU of Flannel's Pods there: its own word once its agent has given it, before that the
# MTU of the way out of the node less $OVERHEAD, which is how its agent comes to it.
set -euo pipefail
: "${OVERHEAD:?}"
if [ -e /run/flannel/subnet.env ]; then
  sed -n 's/^FLANNEL_MTU=//p' /run/flannel/subnet.env
  exit 0
fi
device=$(ip -4 route show default | sed -n 's/^.* dev \([^ ]*\).*/\1/p' | head -1)
printf '%s\n' "$(($(cat "/sys/class/net/$device/mtu") - OVERHEAD))"
