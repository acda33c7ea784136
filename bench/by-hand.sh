#!/usr/bin/env bash
# The migration from Flannel to Cilium as a careful person does it by hand: kubectl, docker, helm and kind, and none of
# this project's own steps. For bench/compare.py; expects Flannel of this project running.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CLUSTER:?}" "${VALUES:?a file with the Helm values}" "${CHART:?a path or a chart}"
chart=("$CHART" ${REPOSITORY:+"--repo=$REPOSITORY"} ${VERSION:+"--version=$VERSION"})

KUBECONFIG=$(mktemp)
export KUBECONFIG
trap 'rm -f -- "$KUBECONFIG"' EXIT
kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG"
nodes=$(kind get nodes --name "$CLUSTER")

# The old network. The policy would refuse it: nobody has claimed the cluster.
kubectl delete validatingadmissionpolicybinding cni-migration-bolt --ignore-not-found
deadline=$((SECONDS + 60))
# The API server goes by a binding for some seconds after it was deleted.
until kubectl delete daemonset kube-flannel-ds --namespace kube-flannel --dry-run=server >/dev/null 2>&1; do
  ((SECONDS < deadline)) || { echo "the policy still refuses after 60 s" >&2; exit 1; }
  sleep 0.2 # between two questions
done
kubectl delete daemonset kube-flannel-ds --namespace kube-flannel --cascade=foreground
kubectl delete daemonset kube-proxy --namespace kube-system --cascade=foreground
kubectl delete namespace kube-flannel --wait=false

# What it leaves on the nodes, side by side.
cleaning=()
for node in $nodes; do
  docker exec --interactive "$node" bash -s <bench/by-hand-node.sh &
  cleaning+=($!)
done
for job in "${cleaning[@]}"; do wait "$job"; done

# The new network. Its values select nodes by these labels.
kubectl label nodes --all --overwrite cni-owner=cilium cni-services=cilium
helm install cilium "${chart[@]}" --namespace kube-system --values "$VALUES" --wait --timeout 10m

# Pods that still have the old network's addresses.
kubectl delete pods --all-namespaces --field-selector spec.hostNetwork=false \
  --selector 'k8s-app notin (hubble-relay,hubble-ui)' --timeout=120s
kubectl rollout status daemonset/probe --namespace cni-migration --timeout=120s
kubectl rollout status deployment/coredns --namespace kube-system --timeout=120s
kubectl wait pods --all --all-namespaces --for=condition=Ready --timeout=120s

# Does it work? Each Pod to each Pod, a name, and what Cilium says of itself.
addresses=$(kubectl get pods --namespace cni-migration --selector app=probe --output 'jsonpath={.items[*].status.podIP}')
for pod in $(kubectl get pods --namespace cni-migration --selector app=probe --output name); do
  for address in $addresses; do
    kubectl exec --namespace cni-migration "$pod" -- ping -c 1 -W 2 "$address" >/dev/null
  done
  kubectl exec --namespace cni-migration "$pod" -- dig +short +time=2 kubernetes.default.svc.cluster.local >/dev/null
done
for agent in $(kubectl get pods --namespace kube-system --selector k8s-app=cilium --output name); do
  kubectl exec --namespace kube-system "$agent" --container cilium-agent -- cilium-dbg status --brief
done
