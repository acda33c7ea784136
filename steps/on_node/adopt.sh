# shellcheck shell=bash
# Runs inside a node, with what Cilium's agent is to be told of a Pod on each line of stdin, as JSON: makes each of them an
# endpoint, and prints the agent's HTTP answer to each, on a line of its own in base64.
set -euo pipefail
socket=/run/cilium/cilium.sock
while read -r body; do
  # shut-none: a connection that is half closed cancels the request in the agent. An answer that does not come is empty.
  printf 'PUT /v1/endpoint/cilium-local:0 HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "${#body}" "$body" | { socat -t 240 - "UNIX-CONNECT:$socket,shut-none" || true; } | base64 --wrap=0
  echo
done
