# shellcheck shell=bash
# Runs inside a node: waits for up to $SECONDS_MAX until kube-proxy has written its rules there, in whichever mode. It writes
# all of them at once, so those of the API's Service stand for the others.
set -euo pipefail
: "${SECONDS_MAX:?}" "${NODE:?}"
deadline=$((SECONDS + SECONDS_MAX))
service=$(kubectl --kubeconfig=/etc/kubernetes/kubelet.conf get service kubernetes --namespace=default \
  --output=jsonpath='{.spec.clusterIP}')
[ -n "$service" ] || { printf '%s: the API has no Service\n' "$NODE" >&2; exit 1; }

written() {
  # What another mode would have made is not there, which its tool calls an error.
  grep --quiet --fixed-strings -- "-A KUBE-SERVICES -d $service/32 " <<<"$(iptables-save --table nat)" ||
    grep --quiet --fixed-strings -- "$service . " <<<"$(nft list map ip kube-proxy service-ips)" ||
    [ -n "$(ip -4 -oneline addr show dev kube-ipvs0 to "$service/32")" ]
}

until said=$(written 2>&1); do
  if [ "$SECONDS" -ge "$deadline" ]; then
    printf '%s: kube-proxy has not written its rules within %s s\n%s\n' "$NODE" "$SECONDS_MAX" "$said" >&2
    exit 1
  fi
  sleep 0.2 # between two looks, not in place of a condition
done
