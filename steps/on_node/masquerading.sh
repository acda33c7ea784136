# shellcheck shell=bash
# Runs inside a node: prints `iptables` where Flannel masquerades there with iptables, whichever backend holds its
# rules, and `none` otherwise.
set -euo pipefail
asked=0
for tool in iptables-nft-save iptables-legacy-save; do
  command -v "$tool" >/dev/null || continue # a node may have one of them only
  asked=1
  rules=$("$tool") # not -t nat: to ask for a table by name makes it, where the backend has none
  if [[ $'\n'$rules == *$'\n':FLANNEL-POSTRTG\ * ]]; then
    printf 'iptables\n'
    exit
  fi
done
[ "$asked" = 1 ] || { printf 'the node has no iptables-save\n' >&2; exit 1; }
printf 'none\n'
