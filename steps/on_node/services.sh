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
  # What a mode has not made is not there, and an error.
  grep --quiet --fixed-strings -- "-A KUBE-SERVICES -d $service/32 " <<<"$(iptables-save --table nat 2>/dev/null)" ||
    grep --quiet --fixed-strings -- "$service . " <<<"$(nft list map ip kube-proxy service-ips 2>/dev/null)" ||
    [ -n "$(ip -4 -oneline addr show dev kube-ipvs0 to "$service/32" 2>/dev/null)" ]
}

until written; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    printf '%s: kube-proxy has not written its rules within %s s\n' "$NODE" "$SECONDS_MAX" >&2
    exit 1
  fi
  sleep 0.2 # between two looks, not in place of a condition
done
