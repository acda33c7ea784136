# shellcheck shell=bash
# Runs inside a node: one $STEP of the recording of what a migration interrupts. $FOLDER is the probers', a hostPath that
# Pods write: `run` in it holds the recording's name while it goes on, $FOLDER/$RECORDING has each prober's log. $REPORT is
# root's alone: `run` again, and on $CONTROL_PLANE $REPORT/$RECORDING with the steps and in the end the report. Nothing is
# written, and no link is followed, where a Pod could have laid one. Every step can be repeated.
set -euo pipefail
: "${STEP:?}" "${REPORT:?}"

now() { date +%s%3N; }
refuse() { printf '%s: refused, since Pods write there\n' "$*" >&2; exit 1; }

# `mark` comes from steps that know of no recording: it goes by the one that is under way.
if [ "$STEP" = mark ]; then
  : "${NAME:?}"
  if [ -e "$REPORT/run" ]; then printf '%s step %s\n' "$(now)" "$NAME" >>"$REPORT/$(cat "$REPORT/run")/steps"; fi
  exit 0
fi

: "${FOLDER:?}" "${RECORDING:?}"
[[ $RECORDING =~ ^[0-9A-Za-z]{0,32}-[0-9]{1,10}$ ]] || { printf 'no name of a recording: %s\n' "$RECORDING" >&2; exit 1; }
ours=$REPORT/$RECORDING

own() { mkdir -p "$ours" && chmod 700 "$REPORT"; }
# Goes to where the probers' logs of this recording are; ends the step where there are none. Looked at from within: what
# has been entered cannot be exchanged any more.
enter() {
  local at
  if [ -L "$FOLDER" ]; then refuse "$FOLDER is a link"; fi
  if [ ! -e "$FOLDER/$RECORDING" ] && [ ! -L "$FOLDER/$RECORDING" ]; then exit 0; fi
  at=$(realpath -e -- "$FOLDER")
  cd -P -- "$at/$RECORDING"
  if [ "$PWD" != "$at/$RECORDING" ]; then refuse "$FOLDER/$RECORDING is a link"; fi
  if [ -n "$(find . -mindepth 1 -type l -print -quit)" ]; then refuse "$FOLDER/$RECORDING holds a link"; fi
}
logs() { find -P . -maxdepth 1 -type f -name '*.log' -printf '%f\n' | sort; }
# dd does not follow what has become a link meanwhile, and does not wait for what has become a pipe.
read_from() { dd if="./$1" skip="$2" iflag=nofollow,nonblock,skip_bytes bs=1M status=none; }

case $STEP in
  state)
    if [ -e "$ours/report.json" ]; then
      echo reported
    elif [ -e "$ours/unmeasured" ]; then
      echo unmeasured
    elif [ -e "$REPORT/run" ] && [ "$(cat "$REPORT/run")" = "$RECORDING" ]; then
      # A start that was cut off has named no prober: it begins anew, or nobody would ask whether the probers answer.
      if [ -e "$ours/steps" ] && grep --quiet ' prober ' "$ours/steps"; then echo recording; else echo none; fi
    elif [ -e "$ours/steps" ]; then
      echo recorded
    else
      echo none
    fi ;;
  start)
    own
    mkdir -p "$FOLDER"
    if [ -L "$FOLDER" ]; then refuse "$FOLDER is a link"; fi
    # Removes links as such, and follows none.
    find -P "$FOLDER" "$REPORT" -mindepth 1 -maxdepth 1 ! -name "$RECORDING" -exec rm -rf -- {} +
    if [ "${NODE:?}" = "${CONTROL_PLANE:?}" ]; then printf '%s step before\n' "$(now)" >"$ours/steps"; fi
    printf '%s\n' "$RECORDING" >"$REPORT/run.new"
    cp "$REPORT/run.new" "$REPORT/run.probers"
    # A rename replaces a link; to write there would go through it.
    mv -fT "$REPORT/run.probers" "$FOLDER/run"
    mv -fT "$REPORT/run.new" "$REPORT/run" ;;
  # Names those that were there when it began, of which nobody may be missing in the report; reads them from stdin.
  probers) while read -r name; do printf '%s prober %s\n' "$(now)" "$name"; done >>"$ours/steps" ;;
  # Probers give a recording up that nobody has touched for six hours.
  touch) if [ -e "$FOLDER/run" ]; then touch --no-create --no-dereference "$FOLDER/run"; fi ;;
  # Prints the probers that have an answer from the network in their log here.
  answered)
    enter
    logs | while read -r log; do
      answers=$(read_from "$log" 0 | grep --count --extended-regexp ' (service|pod|dns|api|held) [^ ]+ ok ' || [ $? -eq 1 ]) # 1: there is none
      if [ "$answers" -gt 0 ]; then printf '%s\n' "${log%.log}"; fi
    done ;;
  stop) rm -f "$FOLDER/run" "$REPORT/run" ;;
  # What was begun is not to be reported.
  forget) rm -f "$FOLDER/run" "$REPORT/run" "$ours/steps" ;;
  # Why nothing is measured, from stdin: a later up must not begin behind what it cost.
  unmeasured)
    own
    find -P "$REPORT" -mindepth 1 -maxdepth 1 ! -name "$RECORDING" -exec rm -rf -- {} +
    cat >"$ours/unmeasured" ;;
  why) cat "$ours/unmeasured" ;;
  # A report that was cut off has written the end already.
  end)
    if ! grep --quiet ' step end$' "$ours/steps"; then printf '%s step end\n' "$(now)" >>"$ours/steps"; fi ;;
  # Prints the probers that have not said that they are done, or have ended.
  undone)
    enter
    logs | while read -r log; do
      size=$(stat --format %s -- "./$log")
      last=$(read_from "$log" "$((size > 400 ? size - 400 : 0))" | tail --lines 1)
      if [[ ! $last =~ \ (end|done)\ -\ -\  ]]; then printf '%s\n' "${log%.log}"; fi
    done ;;
  steps) cat "$ours/steps" ;;
  # A prober that was killed may have left its last line without an end.
  lines)
    enter
    logs | while read -r log; do
      read_from "$log" 0
      echo
    done ;;
  # The Pods that ran when it began, as one line of JSON; `pods` prints it, nothing where nobody noted it.
  note-pods)
    cat >"$ours/pods.new"
    mv "$ours/pods.new" "$ours/pods.json" ;;
  pods) if [ -e "$ours/pods.json" ]; then cat "$ours/pods.json"; fi ;;
  report) cat "$ours/report.json" ;;
  keep)
    own
    cat >"$ours/report.new"
    mv "$ours/report.new" "$ours/report.json" ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
