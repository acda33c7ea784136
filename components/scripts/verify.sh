#!/usr/bin/env bash
# Measures what the network of $CLUSTER does and prints it as one JSON object. Fails with one sentence where that is not
# what $CNI promises: the encapsulation and bytes of a ping between every ordered pair of nodes, captured on the
# receiving node's eth0; ClusterIP and DNS from every node and every probe Pod; what the CNI says of itself.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${CNI:?}" "${SERVICE_PORT:?}"
use_cluster
scripts=$(dirname "$0")
work=$(mktemp -d)
leave() {
  local job
  for job in $(jobs -pr); do kill "$job"; done
  rm -rf -- "$work" "$KUBECONFIG"
}
trap leave EXIT
namespace=cni-migration
count=5

say "verify: waiting for the nodes, the probes and CoreDNS"
kubectl wait nodes --all --for=condition=Ready --timeout=180s >&2
for workload in daemonset/probe daemonset/probe-host; do
  kubectl rollout status "$workload" --namespace "$namespace" --timeout=180s >&2
done
kubectl rollout status deployment/coredns --namespace kube-system --timeout=180s >&2
"$scripts/cni-settled.sh"

service=$(kubectl get service probe --namespace "$namespace" --output 'jsonpath={.spec.clusterIP}'):$SERVICE_PORT
dns=$(kubectl get service kube-dns --namespace kube-system --output 'jsonpath={.spec.clusterIP}')
api=$(kubectl get service kubernetes --namespace default --output 'jsonpath={.spec.clusterIP}')

# pod_of[node], address[node]: the probe on the Pod network; host_of[node]: the one on the host's.
declare -A pod_of address host_of
while read -r app node pod ip; do
  if [ "$app" = probe ]; then pod_of[$node]=$pod address[$node]=$ip; else host_of[$node]=$pod; fi
done < <(kubectl get pods --namespace "$namespace" --output \
  'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.labels.app} {.spec.nodeName} {.metadata.name} {.status.podIP}{"\n"}{end}')
mapfile -t nodes < <(printf '%s\n' "${!pod_of[@]}" | sort)
[ "${#nodes[@]}" -ge 2 ] || fail "the verification needs probes on two nodes, and found ${#nodes[@]}"

in_probe() { # POD SCRIPT NAME=VALUE... [-- ARGUMENT...]
  local pod=$1 script=$2
  shift 2
  local set=() args=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do set+=("$1") && shift; done
  if [ $# -gt 0 ]; then args=("${@:2}"); fi
  kubectl exec --stdin --namespace "$namespace" "$pod" -- env "${set[@]}" bash -s -- "${args[@]}" <"$scripts/on-probe/$script.sh"
}

finish() { # JOB...: waits for each; what it could not measure is missing from the verdict's input, which fails there
  local job
  for job in "$@"; do wait "$job" || say "verify: a measurement ended with $?"; done
}

say "verify: pings between ${#nodes[@]} nodes, captured on eth0"
captures=()
for node in "${nodes[@]}"; do
  in_probe "${host_of[$node]}" capture "TARGET=${address[$node]}" "COUNT=$((count * (${#nodes[@]} - 1)))" SECONDS_MAX=30 \
    >"$work/$node.capture" 2>"$work/$node.tcpdump" &
  captures+=($!)
done
for node in "${nodes[@]}"; do
  deadline=$((SECONDS + 30))
  until grep --quiet 'listening on' "$work/$node.tcpdump"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "tcpdump does not start on $node: $(cat "$work/$node.tcpdump")"
    sleep 0.1 # between two looks, not in place of a condition
  done
done
jobs=()
for node in "${nodes[@]}"; do
  targets=()
  for peer in "${nodes[@]}"; do [ "$peer" = "$node" ] || targets+=("${address[$peer]}"); done
  in_probe "${pod_of[$node]}" send "COUNT=$count" -- "${targets[@]}" >"$work/$node.ping" 2>&1 &
  jobs+=($!)
done
finish "${jobs[@]}" "${captures[@]}"

say "verify: Services, DNS and the CNI's own word on every node"
jobs=()
for node in "${nodes[@]}"; do
  reach=("SERVICE=$service" "DNS=$dns" "API=$api" "NODE=$node" SECONDS_MAX=30)
  in_probe "${pod_of[$node]}" reach "${reach[@]}" >"$work/$node.pod-reach" &
  jobs+=($!)
  in_probe "${host_of[$node]}" reach "${reach[@]}" >"$work/$node.host-reach" &
  jobs+=($!)
  "$scripts/cni-status.sh" "$node" >"$work/$node.status" &
  jobs+=($!)
done
finish "${jobs[@]}"

for node in "${nodes[@]}"; do
  for peer in "${nodes[@]}"; do
    if [ "$peer" != "$node" ]; then
      awk -v from="$peer" -v to="$node" -v source="${address[$peer]}" -f "$scripts/wire.awk" "$work/$node.capture"
    fi
  done
done >"$work/pairs"
awk -v cni="$CNI" -v packets="$count" -f "$scripts/verdict.awk" "$work/pairs" "$work"/*-reach "$work"/*.status
