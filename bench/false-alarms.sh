#!/usr/bin/env bash
# Counts false alarms of a stack that is up and that nobody touches: previews that want a change, and drift that is found
# (or could not be looked for). Prints what each alarm said, then the counts; ends with 1 where there was one. Arguments:
# the stack, and how many of each (30). A pair takes about 10 s.
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:?which stack? bench/false-alarms.sh STACK [COUNT]}
count=${2:-30}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
preview=0 drift=0

quiet() { "$@" >"$work/log" 2>&1 || { printf 'alarm: %s\n' "$*"; cat "$work/log"; return 1; }; }

begin=$EPOCHREALTIME
for ((run = 1; run <= count; run++)); do
  quiet pulumi preview --stack "$stack" --expect-no-changes --non-interactive || preview=$((preview + 1))
  quiet pipeline/drift.sh "$stack" || drift=$((drift + 1))
  printf '%d of %d\n' "$run" "$count" >&2
done
took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", b - a }')
printf 'stack %s: %d of %d previews and %d of %d drift runs raised an alarm, in %s s\n' \
  "$stack" "$preview" "$count" "$drift" "$count" "$took"
((preview + drift == 0))
