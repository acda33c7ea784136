#!/usr/bin/env bash
# Removes Helm's records of the release $RELEASE in $NAMESPACE: $RECORDS is `all` (before an install: no state knows
# them) or `pending` (before an upgrade: only those of an operation that was cut off). Objects of the release stay.
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${RELEASE:?}" "${NAMESPACE:?}" "${RECORDS:?}"
use_cluster

selector="owner=helm,name=$RELEASE"
if [ "$RECORDS" = pending ]; then
  selector+=",status in (pending-install,pending-upgrade,pending-rollback)"
fi
kubectl --namespace "$NAMESPACE" delete secrets --selector "$selector" >&2
