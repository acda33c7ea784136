#!/usr/bin/env bash
# Removes whatever is still in the cluster of either CNI, by name and by label: the other stack's objects, or those of a
# state that was lost. In a change of CNI inside one stack the engine has deleted them before, and nothing is found.
# Then labels every node with its new owner, $CNI.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=components/scripts/nodes.sh
. "$(dirname "$0")/nodes.sh"
# shellcheck source=components/scripts/old-cni.sh
. "$(dirname "$0")/old-cni.sh"
: "${CLUSTER:?}" "${CNI:?}" "${STACK:?}" "${EPOCH:?}"
use_cluster
hold
mark takeover
label=app.kubernetes.io/part-of=cni-migration

# Ours by label, the probes too; then by the names of Flannel's own manifest and of kubeadm's kube-proxy.
remove_flannel() {
  gone daemonset,configmap,serviceaccount,service --all-namespaces --selector "$label"
  gone clusterrole,clusterrolebinding --selector "$label"
  remove_flannel_by_name
  remove_kube_proxy
}

# The Pods go after their DaemonSets; a node must not be cleaned under a flanneld that still writes.
await_pods() {
  local selector
  for selector in k8s-app=cilium app=flannel k8s-app=kube-proxy; do
    kubectl wait pods --all-namespaces --selector "$selector" --for=delete --timeout=120s >&2
  done
}

# A rolling migration that was cut off leaves the node cordoned that it was moving.
uncordon() {
  local node nodes
  nodes=$(kubectl get nodes --output 'jsonpath={range .items[?(@.metadata.annotations.cni-migration/cordoned=="true")]}{.metadata.name}{"\n"}{end}')
  for node in $nodes; do lift_cordon "$node"; done
}

remove_cilium &
cilium=$!
remove_flannel &
flannel=$!
# Both end before a failure of either is reported: the next `up` must not start while one of them still deletes.
failed=0
wait "$cilium" || failed=1
wait "$flannel" || failed=1
[ "$failed" -eq 0 ] || fail "what the other CNI has in the cluster could not all be removed"
await_pods
forget_flannel
untaint
# Only now: the DaemonSets of the new CNI select on these labels, so no node ever runs two.
services=$([ "$CNI" = cilium ] && printf cilium || printf kube-proxy)
kubectl label nodes --all --overwrite "cni-owner=$CNI" "cni-services=$services" >&2
uncordon
mark clean
