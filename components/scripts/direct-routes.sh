#!/usr/bin/env bash
# Gives every node direct routes to every other node's podCIDR, in a table of their own and ahead of the CNI's: from then
# on nothing is encapsulated, whichever CNI a node has.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=components/scripts/nodes.sh
. "$(dirname "$0")/nodes.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}" "${CNI:?}" "${POD_SUBNET:?}"
use_cluster
hold
mark routes

others=$(nodes_not_owned_by "$CNI")
if [ -z "$others" ]; then
  say "every node has $CNI already; no routes are needed"
  exit 0
fi
if [ "$CNI" = flannel ]; then
  # The last `rolling` may have left its namespace at its end, and nothing can be made in it then.
  if [ "$(kubectl get namespace kube-flannel --ignore-not-found --output 'jsonpath={.status.phase}')" = Terminating ]; then
    kubectl wait namespace/kube-flannel --for=delete --timeout=120s >&2
  fi
fi
on_every_node direct-routes STEP=routes
# Only now: a node that has the rule sends past the tunnel, and its peer must be ready to take that.
on_every_node direct-routes STEP=rule
mark install
