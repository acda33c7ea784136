# shellcheck shell=bash
# Runs in a host-network probe: waits for the end of the capture in $FOLDER, which ends by itself, prints tcpdump's text
# and removes the folder.
set -euo pipefail
: "${FOLDER:?}" "${SECONDS_MAX:?}"
deadline=$((SECONDS + SECONDS_MAX))
until [ -e "$FOLDER/ended" ]; do
  [ "$SECONDS" -lt "$deadline" ] || { printf 'the capture did not end within %s s\n' "$SECONDS_MAX" >&2; exit 1; }
  sleep 0.1 # between two looks, not in place of a condition
done
status=$(cat "$FOLDER/ended")
# 124: the time was up before all packets were seen. That is a finding, which the reader of the text makes.
if [ "$status" != 0 ] && [ "$status" != 124 ]; then
  printf 'tcpdump ends with %s: %s\n' "$status" "$(tr '\n' ' ' <"$FOLDER/said")" >&2
  exit 1
fi
cat "$FOLDER/text"
rm -r "$FOLDER"
