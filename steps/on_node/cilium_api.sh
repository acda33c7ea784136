# shellcheck shell=bash
# Runs inside a node: asks Cilium's agent $METHOD $REQUEST (a path below /v1), without a body, and prints the HTTP
# answer. With $SECONDS_MAX it first waits for the agent's API, for as long as that.
set -euo pipefail
: "${METHOD:?}" "${REQUEST:?}"
socket=/run/cilium/cilium.sock

ask() { # METHOD PATH
  # shut-none: a connection that is half closed cancels the request in the agent.
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n' \
    "$1" "/v1$2" | socat -t 240 - "UNIX-CONNECT:$socket,shut-none"
}
healthy() {
  local answer
  [ -S "$socket" ] && answer=$(ask GET /healthz 2>/dev/null) && [[ $answer =~ ^HTTP/1\.[01]\ 200 ]]
}

deadline=$((SECONDS + ${SECONDS_MAX:-0}))
until healthy; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    printf '%s: the API of the agent does not answer (%s)\n' "$NODE" "$socket" >&2
    exit 1
  fi
  sleep 0.2 # between two looks, not in place of a condition
done
ask "$METHOD" "$REQUEST"
