#!/usr/bin/env bash
# Times `pulumi up --stack cilium` on a running Flannel cluster against bench/by-hand.sh, pair by pair, the one first and
# then the other. Prints the seconds and the ratio of each pair, keeps it in RESULTS (.state/bench/migration.jsonl), and
# ends with the table. Argument: how many pairs (3). Takes about 4 minutes a pair. Run it as the benchmark is run:
#   uv run --group bench bash bench/compare.sh 3
set -euo pipefail
# A migration that failed has no duration, also where it fails inside `$(…)`.
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
pairs=${1:-3}
results=${RESULTS:-.state/bench/migration.jsonl}
strategy=recreate # what the stacks have by default, and what bench/by-hand.sh does
export CLUSTER=${CLUSTER:-cni-migration}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }

up() { pulumi up --stack "$1" --yes --skip-preview >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }

seconds() { # COMMAND...: prints how long it took
  local begin=$EPOCHREALTIME
  "$@" >&2
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}

hand() { bash bench/by-hand.sh >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }

kube() { docker exec --interactive "$CLUSTER-control-plane" kubectl --kubeconfig=/etc/kubernetes/admin.conf "$@"; }

for stack in flannel cilium; do pulumi stack select --create "$stack" >&2; done
up flannel
up cilium
# What the release was installed with is what the other way must install as well.
export VALUES=$work/values.yaml CHART
docker cp "$(command -v helm)" "$CLUSTER-control-plane:/usr/local/bin/helm-bench" >&2
docker exec --env KUBECONFIG=/etc/kubernetes/admin.conf "$CLUSTER-control-plane" \
  helm-bench get values cilium --namespace kube-system --output yaml >"$VALUES"
docker exec "$CLUSTER-control-plane" rm /usr/local/bin/helm-bench
CHART=$(.venv/bin/python -c '
from settings import stack
print(stack.parse({"cni": "cilium"}, stack.site()).cilium.chart)')

by_engine() {
  up flannel
  engine=$(seconds up cilium)
}

by_hand() {
  up flannel
  by_hand=$(seconds hand)
  # The marker still says flannel; the next `up` has to see that somebody else was here.
  kube patch configmap cni-migration --namespace kube-system --type merge \
    --patch '{"data": {"stack": "by-hand", "cni": "cilium", "phase": "ready"}}' >&2
}

for pair in $(seq "$pairs"); do
  if ((pair % 2)); then
    first=engine
    by_engine
    by_hand
  else
    first=hand
    by_hand
    by_engine
  fi
  printf 'pair %s: pulumi %s s, by hand %s s, ratio %s\n' "$pair" "$engine" "$by_hand" \
    "$(awk -v a="$engine" -v b="$by_hand" 'BEGIN { printf "%.2f", a / b }')"
  .venv/bin/python -m bench migration "$results" --strategy "$strategy" --pairs "$pairs" \
    --engine "$engine" --hand "$by_hand" --first "$first"
done
.venv/bin/python -m bench render "$results"
