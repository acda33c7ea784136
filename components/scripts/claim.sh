#!/usr/bin/env bash
# Claims the cluster: writes $STACK, $CNI, $GENERATION, $EPOCH and $STRATEGY into the marker, phase `migrating`, by
# compare-and-swap. Fails, naming the other stack, where the marker has moved on since the plan, or a migration of another
# stack still runs.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}" "${CNI:?}" "${GENERATION:?}" "${EPOCH:?}" "${STRATEGY:?}" "${ABANDON_EPOCH:?}"
use_cluster

# One read, so that the version belongs to the data; `|` separates, since fields may be empty.
fields='{.metadata.resourceVersion}|{.data.stack}|{.data.cni}|{.data.epoch}|{.data.phase}|{.data.holder}'
found=$(kubectl --namespace kube-system --request-timeout=15s get configmap "$MARKER" --ignore-not-found \
  --output "jsonpath=$fields")
IFS='|' read -r version stack cni epoch phase other <<<"$found"

wanted=$(marker_manifest "$version" "$STACK" "$CNI" "$GENERATION" "$EPOCH" migrating "$(holder)" "$STRATEGY")
lost="another up claimed cluster $CLUSTER at the same moment; nothing was touched: look at \`pulumi preview\`, run up again"

if [ -z "$found" ]; then
  kubectl create --filename - <<<"$wanted" >&2 || fail "$lost"
  exit 0
fi
if [ "$stack" != "$STACK" ] && [ "$phase" = migrating ] && [ "$epoch" != "$ABANDON_EPOCH" ]; then
  if [ "${other%% *}" != "$(uname -n)" ]; then
    fail "stack $stack began to migrate cluster $CLUSTER to $cni (epoch $epoch) on host ${other%% *}, and whether it still" \
      "runs cannot be seen from here. If it does not: pulumi config set migration:abandonEpoch $epoch"
  fi
  if holder_alive "$other"; then
    fail "stack $stack is migrating cluster $CLUSTER to $cni right now (epoch $epoch); wait for it to end"
  fi
  say "the migration of stack $stack to $cni (epoch $epoch) was cut off; stack $STACK takes over"
fi
if [ "$stack/$cni/$epoch" != "$STACK/$CNI/$EPOCH" ] && [ "$epoch" -ne $((EPOCH - 1)) ]; then
  fail "cluster $CLUSTER was claimed by stack $stack with $cni (epoch $epoch) since this up was planned for epoch $EPOCH;" \
    "nothing was touched: look at \`pulumi preview\`, run up again"
fi
kubectl replace --filename - <<<"$wanted" >&2 || fail "$lost"
