# shellcheck shell=bash
# Runs inside a node: prints `iptables` where Cilium masquerades there by netfilter's rules, and `bpf` otherwise.
set -euo pipefail
# 1: there is no such chain.
rules=$(iptables -t nat -S CILIUM_POST_nat 2>/dev/null) || [ $? -eq 1 ]
if [[ $rules =~ -j\ (MASQUERADE|SNAT) ]]; then printf 'iptables\n'; else printf 'bpf\n'; fi
