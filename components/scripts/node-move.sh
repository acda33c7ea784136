#!/usr/bin/env bash
# Moves the node $NODE to $CNI while the rest of the cluster serves: drain, the old agent away, its residue (stdin) off,
# the new agent on, uncordon. Goes on where an earlier run was cut off. A drain that fails leaves the node as it was.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=components/scripts/nodes.sh
. "$(dirname "$0")/nodes.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}" "${CNI:?}" "${NODE:?}" "${POD_SUBNET:?}" "${DRAIN_SECONDS:?}" "${SERVICES_RESIDUE:?}"
use_cluster
hold
mark "move $NODE"
residue=$(cat)

label() { kubectl label node "$NODE" --overwrite "$@" >&2; }

# Where it is cordoned by a user, it stays so.
uncordon() { if [ "$cordoned" != by-user ]; then lift_cordon "$NODE"; fi; }

# Evicts what will come back elsewhere. Every eviction asks the budgets; nothing is deleted. Pods on the host network do not
# mind a change of CNI, and stay.
drain() {
  local bare
  bare=$(pods_of_node | awk '$5 == "none" { print $1 "/" $2 }' | xargs)
  if [ -z "$bare" ] && evict_pods_of_node "$DRAIN_SECONDS" DaemonSet; then return; fi
  if [ "$owner" != none ]; then uncordon; fi
  fail "node $NODE cannot be drained within $DRAIN_SECONDS s, so it stays with $owner and takes Pods as before." \
    "Budgets that permit no eviction now: $(blocking_budgets | paste -sd, -). Pods that no controller would make anew: ${bare:-none}"
}

state=$(kubectl get node "$NODE" --output 'go-template={{if not .spec.unschedulable}}no{{else if
  index .metadata.annotations "cni-migration/cordoned"}}by-move{{else}}by-user{{end}} {{index .metadata.labels "cni-owner"}}')
read -r cordoned owner <<<"$state"
if [ "$owner" != "$CNI" ]; then
  # Cilium goes on serving Services here until it leaves, and kube-proxy has to be there before. Not on all nodes at once:
  # every agent takes its node's new label for a reason to work, and three of them starved everybody for a second.
  if [ "$CNI" = flannel ]; then label cni-services=kube-proxy; fi
  say "$NODE: draining"
  if [ "$cordoned" = no ]; then cordon "$NODE"; fi
  drain
  # What the others must have before this node changes hands; the drain has given it the time to come up.
  if [ "$CNI" = cilium ]; then introduce_nodes; else await_pod k8s-app=kube-proxy 60; fi
  say "$NODE: taking ${owner/none/the old CNI} away"
  on_node "$NODE" hold STEP=leave </dev/null
  label cni-owner=none
  for selector in k8s-app=cilium app=flannel; do
    kubectl wait pods --all-namespaces --selector "$selector" --field-selector "spec.nodeName=$NODE" --for=delete --timeout=60s >&2
  done
  on_node "$NODE" hold STEP=on </dev/null
  evict_pods_of_node 60 || fail "$NODE: run the same command again"
  on_node "$NODE" clean <<<"$residue" >/dev/null
  label "cni-owner=$CNI"
fi
await_pod "$(agent_of "$CNI")" 120
say "$NODE: $CNI answers"
if [ "$CNI" = cilium ]; then
  # Cilium serves Services on this node by now, so kube-proxy can go, and what it wrote.
  label cni-services=cilium
  kubectl wait pods --namespace kube-system --selector k8s-app=kube-proxy --field-selector "spec.nodeName=$NODE" --for=delete --timeout=60s >&2
  on_node "$NODE" clean <<<"$SERVICES_RESIDUE" >/dev/null
fi
on_node "$NODE" hold STEP=off </dev/null
renew_pending_pods
await_pods_of_node 120
uncordon
