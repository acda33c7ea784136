# shellcheck shell=bash
# Runs inside a node: prints those of the addresses on stdin that answer a TCP connection, be it with a refusal: a Pod need
# not serve anything to be reached. Each is tried for up to $SECONDS_MAX, side by side.
set -euo pipefail
: "${SECONDS_MAX:?}"

try() {
  local said deadline=$((SECONDS + SECONDS_MAX))
  while :; do
    # Port 9 is nobody's: the Pod's kernel refuses. 124 is a silence.
    if said=$(timeout 2 bash -c "</dev/tcp/$1/9" 2>&1) || [[ $said == *'Connection refused'* ]]; then
      printf '%s\n' "$1"
      return
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then return; fi
    sleep 0.2 # between two looks, not in place of a condition
  done
}

while read -r address; do try "$address" & done
wait
