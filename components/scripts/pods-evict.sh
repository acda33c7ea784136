#!/usr/bin/env bash
# Deletes every Pod that lost its network: not on the host network, older than $CUTOFF, with a controller that makes a
# new one. Does not wait: their sandboxes can only go when the new CNI answers. Pods without a controller: pods-replace.sh.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}" "${CUTOFF:?}"
use_cluster
hold
mark install

pods=$(pods_on_pod_network)
[ -n "$pods" ] || exit 0

while read -r namespace name created controller; do
  if [[ $created < $CUTOFF && $controller != none ]]; then
    say "evicting $namespace/$name"
    kubectl delete pod "$name" --namespace "$namespace" --ignore-not-found --wait=false >&2
  fi
done <<<"$pods"
