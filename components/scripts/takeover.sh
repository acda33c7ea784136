#!/usr/bin/env bash
# Removes whatever is still in the cluster of either CNI, by name and by label: the other stack's objects, or those of a
# state that was lost. In a change of CNI inside one stack the engine has deleted them before, and nothing is found.
# Then labels every node with its new owner, $CNI.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${CNI:?}" "${STACK:?}" "${EPOCH:?}"
use_cluster
hold
label=app.kubernetes.io/part-of=cni-migration

gone() { kubectl delete "$@" --ignore-not-found --timeout=120s >&2; }

remove_cilium() {
  # An interrupted install or upgrade (status pending-*) is listed only with --all.
  if [ -n "$(helm list --namespace kube-system --all --short --filter '^cilium$')" ]; then
    say "removing the Helm release cilium"
    helm uninstall cilium --namespace kube-system --wait --timeout 3m >&2
  fi
  local crds
  crds=$(kubectl get customresourcedefinitions --output name | grep '\.cilium\.io$' || [ $? -eq 1 ])
  if [ -n "$crds" ]; then
    # Their objects go with them; CiliumNodes left behind would keep old podCIDRs alive (cilium-cli#2694).
    xargs kubectl delete --timeout=120s <<<"$crds" >&2
  fi
  gone namespace cilium-secrets
}

# Ours by label; then Flannel from its own manifest and kubeadm's kube-proxy, of a cluster that was made elsewhere.
remove_flannel() {
  gone daemonset,configmap,serviceaccount,service --all-namespaces --selector "$label"
  gone clusterrole,clusterrolebinding --selector "$label"
  gone clusterrole,clusterrolebinding flannel
  gone daemonset,configmap kube-proxy --namespace kube-system
  # Its end takes the namespace controller 5 s; only a Flannel that comes back has to wait for it.
  gone namespace kube-flannel --wait="$([ "$CNI" = flannel ] && printf true || printf false)"
}

# The Pods go after their DaemonSets; a node must not be cleaned under a flanneld that still writes.
await_pods() {
  local selector
  for selector in k8s-app=cilium app=flannel k8s-app=kube-proxy; do
    kubectl wait pods --all-namespaces --selector "$selector" --for=delete --timeout=120s >&2
  done
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

kubectl annotate nodes --all flannel.alpha.coreos.com/backend-data- flannel.alpha.coreos.com/backend-type- \
  flannel.alpha.coreos.com/kube-subnet-manager- flannel.alpha.coreos.com/public-ip- \
  flannel.alpha.coreos.com/backend-v6-data- flannel.alpha.coreos.com/public-ipv6- >/dev/null
# shellcheck disable=SC2016 # the dollar is the template's
tainted=$(kubectl get nodes --output go-template='{{range .items}}{{$name := .metadata.name}}{{range .spec.taints}}{{
  if eq .key "node.cilium.io/agent-not-ready"}}{{$name}} {{end}}{{end}}{{end}}')
for node in $tainted; do
  kubectl taint node "$node" node.cilium.io/agent-not-ready- >&2
done
# Only now: the DaemonSets of the new CNI select on this label, so no node ever runs two.
kubectl label nodes --all --overwrite "cni-owner=$CNI" >&2
