#!/usr/bin/env bash
# Waits until Cilium's agents have loaded their programs for every endpoint, for up to 180 s; at once where none runs. An
# agent that starts again is Ready before: its Pods keep the old programs, and the old routing, until theirs are compiled.
# Needs $KUBECONFIG.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"

states() { # AGENT: the state of each endpoint, a word each
  kubectl exec --namespace kube-system "$1" --container cilium-agent -- \
    cilium-dbg endpoint list --output 'jsonpath={[*].status.state}'
}

agents=$(kubectl get pods --namespace kube-system --selector k8s-app=cilium --output name)
deadline=$((SECONDS + 180))
for agent in $agents; do
  until found=$(states "$agent" 2>&1) && [ -n "$found" ] && ! tr ' ' '\n' <<<"$found" | grep -qvx ready; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$agent has not loaded its programs within 180 s: $found"
    sleep 0.5 # between two looks, not in place of a condition
  done
done
