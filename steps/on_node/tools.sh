# shellcheck shell=bash
# Runs inside a node: prints the programs that a change of CNI under running Pods needs and that are not there.
set -euo pipefail
for tool in awk bridge conntrack crictl ip iptables iptables-restore nsenter socat ss timeout; do
  command -v "$tool" >/dev/null || printf '%s\n' "$tool"
done
