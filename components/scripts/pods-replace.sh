#!/usr/bin/env bash
# Sees to it that no Pod older than $CUTOFF is left on the Pod network: makes those without a controller anew (the same
# manifest, a new sandbox) and waits until the others are gone.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}" "${CUTOFF:?}"
use_cluster
hold
mark verify

pods=$(pods_on_pod_network)
[ -n "$pods" ] || exit 0

while read -r namespace name created controller; do
  [[ $created < $CUTOFF ]] || continue
  if [ "$controller" = none ]; then
    say "making $namespace/$name anew"
    kubectl get pod "$name" --namespace "$namespace" --output json |
      kubectl replace --force --grace-period=1 --timeout=120s --filename - >&2
  else
    kubectl wait pod "$name" --namespace "$namespace" --for=delete --timeout=120s >&2
  fi
done <<<"$pods"
