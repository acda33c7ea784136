#!/usr/bin/env bash
# Ends a rolling migration to $CNI: takes the old CNI's objects out of the cluster, which run on no node any more, sees
# that each node has its CNI's own route to every peer, and takes the direct routes away.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=components/scripts/nodes.sh
. "$(dirname "$0")/nodes.sh"
# shellcheck source=components/scripts/old-cni.sh
. "$(dirname "$0")/old-cni.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}" "${CNI:?}" "${POD_SUBNET:?}"
use_cluster
hold
mark finish

others=$(nodes_not_owned_by "$CNI")
[ -z "$others" ] || fail "not every node has moved to $CNI: $(xargs <<<"$others"). Run the same command again"

if [ "$CNI" = cilium ]; then
  remove_flannel_by_name
  remove_kube_proxy
  forget_flannel
else
  remove_cilium
  untaint
fi
say "finish: waiting for $CNI's own routes"
on_every_node own-routes "CNI=$CNI"
if [ "$CNI" = flannel ]; then on_every_node direct-routes STEP=loose; fi
on_every_node direct-routes STEP=away
if [ "$CNI" = flannel ]; then on_every_node direct-routes STEP=strict; fi
