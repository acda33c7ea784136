#!/usr/bin/env bash
# Ends the recording of $EPOCH on $NODES and prints what the migration interrupted as one JSON object. Fails with one
# sentence where $STRATEGY is rolling and that is more than $MAX_FAILURES new connections or a gap of $MAX_GAP_MS; only
# once: the report is kept, and the next time it is printed as it was.
# shellcheck disable=SC2016 # what `inside` gets is expanded on the node
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${EPOCH:?}" "${NODES:?}" "${STRATEGY:?}" "${MAX_FAILURES:?}" "${MAX_GAP_MS:?}"
scripts=$(dirname "$0")
control_plane=$CLUSTER-control-plane
read -ra nodes <<<"$NODES"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

inside() { # NODE SCRIPT: the script sees the recording's folder, and the epoch
  docker exec --interactive "$1" bash -euo pipefail -c "$2" inside "$TRAFFIC" "$EPOCH"
}

sizes() {
  local node
  for node in "${nodes[@]}"; do
    inside "$node" 'find "$1/$2" -name "*.log" -printf "%f %s\n" | sort' </dev/null || return
  done
}

report=$(inside "$control_plane" 'if [ -e "$1/$2/report.json" ]; then cat "$1/$2/report.json"; fi' </dev/null)
if [ -n "$report" ]; then
  say "the interruption of this migration (epoch $EPOCH) was reported by an earlier up"
  printf '%s\n' "$report"
  exit 0
fi
recorded=$(inside "$control_plane" 'if [ -e "$1/$2/steps" ]; then echo yes; fi' </dev/null)
if [ -z "$recorded" ]; then
  printf '{"measured":false,"why":"nothing was recorded: the network was not up when the migration began"}\n'
  exit 0
fi

# A report that was cut off has written the end already.
inside "$control_plane" '
  if ! grep --quiet " step end$" "$1/$2/steps"; then
    printf "%s step end\n" "$(date +%s%3N)" >>"$1/$2/steps"
  fi' </dev/null
for node in "${nodes[@]}"; do inside "$node" 'mkdir -p "$1/$2" && rm -f "$1/run"' </dev/null; done

# What was asked before the end is still being answered.
deadline=$((SECONDS + 10))
before=none
while
  now=$(sizes) || fail "the recording cannot be read"
  [ "$now" != "$before" ]
do
  [ "$SECONDS" -lt "$deadline" ] || fail "the probers still write 10 s after the recording's end"
  before=$now
  sleep 0.3 # between two looks, not in place of a condition
done

for node in "${nodes[@]}"; do
  inside "$node" 'find "$1/$2" -name "*.log" -exec cat {} +' </dev/null
done >"$work/log"
inside "$control_plane" 'cat "$1/$2/steps"' </dev/null >>"$work/log"
# In C, so that a number has a point wherever this runs.
LC_ALL=C sort -n "$work/log" | LC_ALL=C awk -v strategy="$STRATEGY" -v max_failures="$MAX_FAILURES" \
  -v max_gap_ms="$MAX_GAP_MS" -f "$scripts/traffic-report.awk" >"$work/report"
inside "$control_plane" 'cat >"$1/$2/report.new" && mv "$1/$2/report.new" "$1/$2/report.json"' <"$work/report"
cat "$work/report"
why=$(sed -n 's/^{"measured":true,"strategy":"rolling","withinBudget":false,"why":"\([^"]*\)".*/\1/p' "$work/report")
[ -z "$why" ] || fail "the migration is done, but it interrupted more than migration.budget allows: $why"
