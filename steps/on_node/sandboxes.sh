# shellcheck shell=bash
# Runs inside a node: $STEP `list` prints the runtime's sandboxes as JSON; `renew` ends those in the arguments, so that the
# kubelet makes new ones for their Pods. Their containers get $GRACE seconds to end by themselves.
set -euo pipefail
: "${STEP:?}"

# crictl gives up after 2 s by default, and the runtime lets go of the network for longer on a busy machine.
runtime() { crictl --timeout 60s "$@"; }

case $STEP in
  list) runtime pods --output json ;;
  renew)
    for id in "$@"; do
      containers=$(runtime ps --quiet --pod "$id")
      # The kubelet may start one again at once; it goes with the sandbox.
      for container in $containers; do runtime stop --timeout "${GRACE:?}" "$container" >&2; done
      runtime stopp "$id" >&2
      runtime rmp "$id" >&2
    done ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
