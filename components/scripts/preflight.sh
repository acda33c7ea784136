#!/usr/bin/env bash
# Looks, before anything is touched, whether $CNI can start on every node of $NODES: its images ($IMAGES, and those of
# the chart $CHART rendered with the values on stdin), the kernel, a common L2, and what only `rolling` needs. Reports
# everything that is missing.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${CNI:?}" "${STRATEGY:?}" "${NODES:?}" "${IMAGES:?}" "${CHART?}" "${CHART_REPOSITORY?}" "${CHART_VERSION?}"
use_cluster
read -ra nodes <<<"$NODES"
read -ra images <<<"$IMAGES"

if [ -n "$CHART" ]; then
  source=("$CHART")
  if [ -n "$CHART_REPOSITORY" ]; then source+=(--repo "$CHART_REPOSITORY" --version "$CHART_VERSION"); fi
  version=$(kubectl get --raw /version | sed -n 's/.*"gitVersion": *"\([^"]*\)".*/\1/p')
  rendered=$(helm template cilium "${source[@]}" --namespace kube-system --kube-version "$version" --values -) ||
    fail "the chart $CHART cannot be rendered; nothing was touched"
  mapfile -t -O "${#images[@]}" images < <(sed -n 's/^ *\(- \)\?image: *"\?\([^" ]*\)"\?.*/\2/p' <<<"$rendered" | sort -u)
fi

others=$(kubectl get daemonsets --all-namespaces --output name |
  grep -E '/(kindnet|calico-node|weave-net|antrea-agent|kube-router|canal)$' || [ $? -eq 1 ])
[ -z "$others" ] || fail "cluster $CLUSTER runs another CNI ($others), which this project does not know how to remove;" \
  "remove it first, or use another cluster. Nothing was touched"

peers=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{"\n"}}{{end}}' "${nodes[@]}" | sed '/^$/d')

# One node: prints what is missing there, a line each, and nothing else.
look() {
  docker exec "$1" env "CNI=$CNI" "STRATEGY=$STRATEGY" "PEERS=$(xargs <<<"$peers")" \
    bash -c "$(cat "$(dirname "$0")/on-node/preflight.sh")" preflight "${images[@]}" ||
    printf 'it could not be looked at (docker exec)\n'
}

found=$(mktemp -d)
trap 'rm -rf -- "$found"; rm -f -- "$KUBECONFIG"' EXIT
for node in "${nodes[@]}"; do
  say "preflight: $node, ${#images[@]} images"
  look "$node" >"$found/$node" &
done
wait
missing=$(cd "$found" && for node in "${nodes[@]}"; do sed "s/^/  - $node: /" "$node"; done)
if [ "$STRATEGY" = rolling ]; then
  more=$("$(dirname "$0")/rolling-preflight.sh" | sed 's/^/  - /')
  missing+=${missing:+${more:+$'\n'}}$more
fi
[ -z "$missing" ] || fail "$CNI cannot come to this cluster by $STRATEGY, and nothing was touched:"$'\n'"$missing"
