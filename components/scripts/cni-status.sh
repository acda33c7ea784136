#!/usr/bin/env bash
# Prints what the CNI says of itself on the node $1: `routing native|vxlan|…`, `kubeProxyReplacement true|false` and
# `masquerading …`. Asks whatever runs there, not what was asked for. Needs $KUBECONFIG.
set -euo pipefail
node=$1

agent=$(kubectl get pods --namespace kube-system --selector k8s-app=cilium --field-selector "spec.nodeName=$node" --output name)
if [ -n "$agent" ]; then
  kubectl exec --namespace kube-system "$agent" --container cilium-agent -- cilium-dbg status |
    awk '
      /^KubeProxyReplacement:/ { print "kubeProxyReplacement " ($2 == "True" ? "true" : "false") }
      /^Routing:/ { sub(/.*Network: */, ""); print "routing " tolower($1) }
      /^Masquerading:/ { print "masquerading " tolower($2) }'
else
  backend=$(kubectl get node "$node" --output 'jsonpath={.metadata.annotations.flannel\.alpha\.coreos\.com/backend-type}')
  proxy=$(kubectl get pods --namespace kube-system --selector k8s-app=kube-proxy --field-selector "spec.nodeName=$node" --output name)
  printf 'routing %s\n' "${backend:-none}"
  printf 'kubeProxyReplacement %s\n' "$([ -n "$proxy" ] && printf false || printf none)"
  printf 'masquerading iptables\n'
fi
