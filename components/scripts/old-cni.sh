# shellcheck shell=bash
# Sourced beside common.sh: takes each CNI's objects out of the cluster, by name. What is not there is no failure.

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
  gone lease cilium-operator-resource-lock --namespace kube-system
}

# Its namespace's end takes the controller 5 s; only a Flannel that comes back has to wait for it.
remove_flannel_by_name() {
  gone daemonset kube-flannel-ds --namespace kube-flannel
  gone clusterrole,clusterrolebinding flannel
  gone namespace kube-flannel --wait="$([ "$CNI" = flannel ] && printf true || printf false)"
}

# This project's own, or kubeadm's.
remove_kube_proxy() {
  gone daemonset,configmap,serviceaccount kube-proxy --namespace kube-system
  gone clusterrolebinding kube-proxy
}

forget_flannel() {
  kubectl annotate nodes --all flannel.alpha.coreos.com/backend-data- flannel.alpha.coreos.com/backend-type- \
    flannel.alpha.coreos.com/kube-subnet-manager- flannel.alpha.coreos.com/public-ip- \
    flannel.alpha.coreos.com/backend-v6-data- flannel.alpha.coreos.com/public-ipv6- >/dev/null
}

untaint() {
  local node tainted
  # shellcheck disable=SC2016 # the dollar is the template's
  tainted=$(kubectl get nodes --output go-template='{{range .items}}{{$name := .metadata.name}}{{range .spec.taints}}{{
    if eq .key "node.cilium.io/agent-not-ready"}}{{$name}} {{end}}{{end}}{{end}}')
  for node in $tainted; do
    kubectl taint node "$node" node.cilium.io/agent-not-ready- >&2
  done
}
