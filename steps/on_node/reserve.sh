# shellcheck shell=bash
# Runs inside a node, with `ADDRESS OWNER` lines on stdin (the owner as part of a URL): waits for up to $SECONDS_MAX for the
# API of Cilium's agent, and takes each address before the agent could give it to a new Pod. One that is taken is said to
# be: whose it is shows when its Pod is adopted.
set -euo pipefail
: "${SECONDS_MAX:?}"
socket=/run/cilium/cilium.sock
deadline=$((SECONDS + SECONDS_MAX))

ask() { # METHOD PATH
  printf '%s /v1%s HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n' "$1" "$2" |
    socat -t 60 - "UNIX-CONNECT:$socket,shut-none" 2>/dev/null
}
healthy() {
  local answer
  [ -S "$socket" ] && answer=$(ask GET /healthz) && [[ $answer =~ ^HTTP/1\.[01]\ 200 ]]
}
late() {
  [ "$SECONDS" -ge "$deadline" ] || return 1
  printf '%s: %s within %s s\n' "$NODE" "$1" "$SECONDS_MAX" >&2
}

# Without a Pod there is nothing to wait for.
rows=$(cat)
[ -n "$rows" ] || exit 0
until healthy; do
  if late "the API of the agent does not answer"; then exit 1; fi
  sleep 0.2 # between two looks, not in place of a condition
done

while read -r address owner; do
  # The agent's API is there before its pools are: it is asked again until it has an answer.
  until answer=$(ask POST "/ipam/$address?owner=$owner&pool=default") &&
    [[ $answer =~ ^HTTP/1\.[01]\ 200 || $answer == *'already allocated'* ]]; do
    if late "$address could not be reserved (${answer:0:300})"; then exit 1; fi
    sleep 0.2 # between two questions, not in place of a condition
  done
done <<<"$rows"
