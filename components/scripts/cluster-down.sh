#!/usr/bin/env bash
# Deletes the Kind cluster $CLUSTER if the marker in it names $STACK as its owner; otherwise leaves it alone, says why.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}"

clusters=$(kind get clusters)
if ! grep --fixed-strings --line-regexp --quiet -- "$CLUSTER" <<<"$clusters"; then
  say "cluster $CLUSTER is gone already"
  exit 0
fi

breadcrumb=.state/$CLUSTER.creating
if [ -e "$breadcrumb" ] && holder_alive "$(cat "$breadcrumb")"; then
  fail "an up is creating cluster $CLUSTER right now; wait for it to end"
fi
private_kubeconfig
if kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG" && owner=$(marker_field stack) && [ -n "$owner" ]; then
  : # the marker's word
elif [ -e "$breadcrumb" ]; then
  owner=$STACK # its creation was cut off, in this folder: it has no marker yet and is nobody else's
else
  owner=$(marker_field stack) ||
    fail "cluster $CLUSTER does not answer, so its owner cannot be read and it is left alone. Start it (docker start)" \
      "and run destroy again, or remove it by hand: kind delete cluster --name $CLUSTER"
fi

if [ "$owner" != "$STACK" ]; then
  say "cluster $CLUSTER is left as it is: it is owned by ${owner:+stack }${owner:-nobody}, not by stack $STACK"
  exit 0
fi
kind delete cluster --name "$CLUSTER" >&2
rm -f -- "$breadcrumb"
