# shellcheck shell=bash
# Runs inside a node: one $STEP of the recording of what a migration interrupts. $FOLDER/run holds the epoch while it goes
# on; $FOLDER/$EPOCH has each prober's log, and on $CONTROL_PLANE the steps and in the end the report. Every step can be
# repeated; `keep` reads the report from stdin.
set -euo pipefail
: "${STEP:?}" "${FOLDER:?}"

now() { date +%s%3N; }

# `mark` comes from steps that know of no recording: it goes by the one that is under way.
if [ "$STEP" = mark ]; then
  : "${NAME:?}"
  if [ -e "$FOLDER/run" ]; then printf '%s step %s\n' "$(now)" "$NAME" >>"$FOLDER/$(cat "$FOLDER/run")/steps"; fi
  exit 0
fi

: "${EPOCH:?}"
ours=$FOLDER/$EPOCH
case $STEP in
  state)
    if [ -e "$ours/report.json" ]; then
      echo reported
    elif [ -e "$FOLDER/run" ] && [ "$(cat "$FOLDER/run")" = "$EPOCH" ]; then
      echo recording
    elif [ -e "$ours/steps" ]; then
      echo recorded
    else
      echo none
    fi ;;
  start)
    mkdir -p "$ours"
    find "$FOLDER" -mindepth 1 -maxdepth 1 ! -name "$EPOCH" -exec rm -rf -- {} +
    if [ "${NODE:?}" = "${CONTROL_PLANE:?}" ]; then printf '%s step before\n' "$(now)" >"$ours/steps"; fi
    printf '%s\n' "$EPOCH" >"$FOLDER/run.new"
    mv "$FOLDER/run.new" "$FOLDER/run" ;;
  # Probers give a recording up that nobody has touched for an hour.
  touch) touch "$FOLDER/run" ;;
  # Prints the probers that have an answer in their log here.
  answered)
    shopt -s nullglob
    for log in "$ours"/*.log; do
      if grep --quiet ' ok ' "$log"; then basename "$log" .log; fi
    done ;;
  stop)
    mkdir -p "$ours"
    rm -f "$FOLDER/run" ;;
  # What was begun is not to be reported.
  forget) rm -f "$FOLDER/run" "$ours/steps" ;;
  # A report that was cut off has written the end already.
  end)
    if ! grep --quiet ' step end$' "$ours/steps"; then printf '%s step end\n' "$(now)" >>"$ours/steps"; fi ;;
  sizes) find "$ours" -name '*.log' -printf '%f %s\n' | sort ;;
  # A prober that was killed may have left its last line without an end.
  lines) find "$ours" \( -name '*.log' -o -name steps \) -exec awk 1 {} + ;;
  report) cat "$ours/report.json" ;;
  keep)
    cat >"$ours/report.new"
    mv "$ours/report.new" "$ours/report.json" ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
