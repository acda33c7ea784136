#!/usr/bin/env bash
# Makes the Kind cluster $CLUSTER from the kind config on stdin, or adopts it where it exists; prints its kubeconfig.
# A cluster made here gets a marker at once, so that a `destroy` knows it as $STACK's even if nothing else was done.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}" "${GENERATION:?}"

# Holds who is creating the cluster, while it is being created; what remains of it tells that the creation was cut off.
breadcrumb=.state/$CLUSTER.creating

exists() {
  local clusters
  clusters=$(kind get clusters 2>/dev/null)
  grep --fixed-strings --line-regexp --quiet -- "$CLUSTER" <<<"$clusters"
}

whole() { kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG" && [ -n "$(marker_field stack)" ]; }

create() {
  (set -o noclobber && holder >"$breadcrumb") || fail "another up is creating cluster $CLUSTER right now"
  say "creating the Kind cluster $CLUSTER"
  kind create cluster --name "$CLUSTER" --config - --wait 0s >&2
}

mkdir -p .state
private_kubeconfig
if [ -e "$breadcrumb" ]; then
  if holder_alive "$(cat "$breadcrumb")"; then
    fail "another up is creating cluster $CLUSTER right now; wait for it to end"
  fi
  # A marker says that the cluster of this name is a whole one, whoever made it: never to be removed here.
  if ! whole; then
    say "the creation of $CLUSTER was cut off; removing what it left"
    kind delete cluster --name "$CLUSTER" >&2
  fi
  rm -- "$breadcrumb"
fi
if exists; then
  say "adopting the Kind cluster $CLUSTER"
else
  create
fi

kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG"
kubectl --request-timeout=15s get --raw /readyz >/dev/null
if [ -e "$breadcrumb" ]; then
  marker_manifest "" "$STACK" none "$GENERATION" 0 created "" recreate | kubectl create --filename - >&2
  rm -- "$breadcrumb"
fi
cat -- "$KUBECONFIG"
