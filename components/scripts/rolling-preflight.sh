#!/usr/bin/env bash
# Prints a line for everything that stands in the way of a rolling migration to $CNI: a node that is not Ready or nobody's,
# no room for one node less, a budget that permits no eviction, a Pod that a drain would lose, a policy that would not be
# enforced, a Cilium that would not let go. Needs $KUBECONFIG.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=components/scripts/nodes.sh
. "$(dirname "$0")/nodes.sh"
: "${CNI:?}" "${UNENFORCED_POLICIES:?}"

# NAME OWNER READY USABLE CPU MEMORY of every node; USABLE: a drained Pod may go there.
nodes=$(kubectl get nodes --output go-template='{{range .items}}{{.metadata.name}} {{or (index .metadata.labels "cni-owner") "nobody"}} {{
  range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{end}}{{end}} {{if or .spec.unschedulable .spec.taints}}no{{else}}yes{{end}} {{
  .status.allocatable.cpu}} {{.status.allocatable.memory}}{{"\n"}}{{end}}')
# NODE KIND NAMESPACE/NAME and CPU,MEMORY of each container; KIND of the controller, `none` without one.
pods=$(kubectl get pods --all-namespaces --field-selector status.phase!=Succeeded,status.phase!=Failed --output go-template='{{range .items}}{{
  or .spec.nodeName "none"}} {{with .metadata.ownerReferences}}{{(index . 0).kind}}{{else}}none{{end}} {{.metadata.namespace}}/{{.metadata.name}}{{
  range .spec.containers}} {{with .resources.requests}}{{or .cpu "0"}},{{or .memory "0"}}{{else}}0,0{{end}}{{end}}{{"\n"}}{{end}}')

awk '
  $2 == "nobody" { printf "node %s has no label cni-owner: no migration of this project ended there; use recreate\n", $1 }
  $3 != "True" { printf "node %s is not Ready, so it could not take the Pods of another\n", $1 }' <<<"$nodes"
awk '$2 == "none" { printf "Pod %s has no controller, a drain would lose it: delete it, or use recreate\n", $3 }' <<<"$pods"
{ printf '%s\n' "$nodes"; printf -- '-\n'; printf '%s\n' "$pods"; } | awk -f "$(dirname "$0")/capacity.awk"
# The TrafficProbe's own may be so young that its Pods are not there yet; traffic-record.sh waits for them.
blocking_budgets | sed -n '/^cni-migration\//!s/.*/PodDisruptionBudget & permits no eviction now, so a drain would wait for ever/p'

if [ "$UNENFORCED_POLICIES" = false ]; then
  kinds=$(kubectl api-resources --verbs list --output name | grep -E '^(networkpolicies\.networking\.k8s\.io|cilium(clusterwide)?networkpolicies\.cilium\.io)$')
  kubectl get "$(paste -sd, - <<<"$kinds")" --all-namespaces --output go-template='{{range .items}}{{.kind}} {{
    with .metadata.namespace}}{{.}}/{{end}}{{.metadata.name}}{{"\n"}}{{end}}' |
    sed 's/$/ would not be enforced everywhere while nodes are mixed (nor by Flannel after); if that is accepted: pulumi config set migration:allowUnenforcedPolicies true/'
fi

if [ -n "$(nodes_owned_by cilium)" ]; then
  # The operator of a release with other values taints nodes without an agent, and restarts the Pods there.
  found=$(kubectl get configmap cilium-config --namespace kube-system --ignore-not-found \
    --output 'jsonpath={.data.set-cilium-node-taints}/{.data.unmanaged-pod-watcher-interval}')
  case $found in
    /0 | false/0) ;;
    *)
      printf 'the Cilium that runs does not leave nodes alone that it has no agent on (taints/restarts: %s): set %s and %s to false in its values, and bring its stack up first\n' \
        "$found" operator.setNodeTaints operator.unmanagedPodWatcher.restart ;;
  esac
fi
