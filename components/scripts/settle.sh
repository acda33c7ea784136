#!/usr/bin/env bash
# Marks the migration of $STACK with $EPOCH as finished. Fails where somebody else owns the cluster by now.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${STACK:?}" "${EPOCH:?}"
use_cluster

owner=$(marker_field stack)/$(marker_field epoch)
[ "$owner" = "$STACK/$EPOCH" ] || fail "cluster $CLUSTER is owned by $owner by now, not by $STACK/$EPOCH"
# The test makes it a compare-and-swap: it fails if the marker changes hands between the look and the patch.
kubectl --namespace kube-system patch configmap "$MARKER" --type json --patch "[
  {\"op\": \"test\", \"path\": \"/data/epoch\", \"value\": \"$EPOCH\"},
  {\"op\": \"replace\", \"path\": \"/data/phase\", \"value\": \"ready\"},
  {\"op\": \"replace\", \"path\": \"/data/holder\", \"value\": \"\"}]" >&2
