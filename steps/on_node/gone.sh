# shellcheck shell=bash
# Runs inside a node, with Pods' labels (NAME=VALUE) in the arguments: waits for up to $SECONDS_MAX until none that has one of
# them runs there.
set -euo pipefail
: "${SECONDS_MAX:?}" "${NODE:?}"
deadline=$((SECONDS + SECONDS_MAX))
for label; do
  while :; do
    # A question that failed is no answer.
    if running=$(crictl --timeout 60s pods --state Ready --label "$label" --quiet) && [ -z "$running" ]; then break; fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '%s: a Pod %s still runs after %s s\n' "$NODE" "$label" "$SECONDS_MAX" >&2
      exit 1
    fi
    sleep 0.2 # between two looks, not in place of a condition
  done
done
