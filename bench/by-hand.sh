#!/usr/bin/env bash
# The migration from Flannel to Cilium as a careful person does it by hand, with kubectl, docker exec and helm: the same
# steps as `pulumi up --stack cilium`, without an engine. For bench/compare.sh; expects Flannel of this project running.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CLUSTER:?}" "${VALUES:?a file with the Helm values}" "${CHART:?a path or a chart}" "${PROBES:?a file with the probes}"
export CLUSTER CNI=cilium STACK EPOCH CONTROL_PLANE MARK=""

KUBECONFIG=$(mktemp)
export KUBECONFIG
trap 'rm -f -- "$KUBECONFIG"' EXIT
kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG"
# takeover.py and the rest see to it that the cluster is still its owner's; here that is whoever owns it now.
STACK=$(kubectl get configmap cni-migration --namespace kube-system --output 'jsonpath={.data.stack}')
EPOCH=$(kubectl get configmap cni-migration --namespace kube-system --output 'jsonpath={.data.epoch}')
mapfile -t nodes < <(kind get nodes --name "$CLUSTER")
CONTROL_PLANE=$(kubectl get nodes --selector node-role.kubernetes.io/control-plane --output 'jsonpath={.items[0].metadata.name}')
step() { .venv/bin/python -m "steps.$1"; }

step takeover
table=$(.venv/bin/python -c 'from steps.residue import render, residue; print(render(residue("10.244.0.0/16")), end="")')
cleaning=()
for node in "${nodes[@]}"; do
  NODE=$node step node_clean <<<"$table" >/dev/null &
  cleaning+=($!)
done
for job in "${cleaning[@]}"; do wait "$job"; done
CUTOFF=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
export CUTOFF
step pods_evict
kubectl apply --filename "$PROBES" >&2
helm install cilium "$CHART" --namespace kube-system --values "$VALUES" --wait --timeout 10m >&2
step pods_replace
SERVICE_PORT=8080 step verify >/dev/null
