# shellcheck shell=bash
# Runs in a probe: prints `services true|false`, `dns true|false` and, where false, `why …`. Each is tried until it
# works or $SECONDS_MAX have passed, since endpoints take a moment to reach every node.
set -euo pipefail
: "${SERVICE:?}" "${DNS:?}" "${API:?}" "${NODE:?}" "${SECONDS_MAX:?}"

until_works() { # NAME COMMAND...
  local name=$1 said deadline=$((SECONDS + SECONDS_MAX))
  shift
  until said=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '%s false\nwhy %s: %s\n' "$name" "$*" "${said//$'\n'/ }"
      return
    fi
    sleep 0.2 # between two tries, not in place of a condition
  done
  printf '%s true\n' "$name"
}

# A probe behind the Service answers with its name.
connect() {
  local answer
  answer=$(timeout 2 bash -c "exec 3<>/dev/tcp/${SERVICE/:/\/}; cat <&3") || { printf 'no connection to %s' "$SERVICE"; return 1; }
  [ -n "$answer" ] || { printf 'no answer from %s' "$SERVICE"; return 1; }
}

# The Service's own name must give the API's ClusterIP, and a node's name must be answered by Docker's DNS, to which
# CoreDNS forwards what is not in the cluster: a BPF host route round it is how external names die on kind.
resolve() {
  local answer
  answer=$(dig +short +time=2 +tries=1 "@$DNS" kubernetes.default.svc.cluster.local)
  [ "$answer" = "$API" ] || { printf 'kubernetes.default is %s, not %s' "${answer:-nothing}" "$API"; return 1; }
  answer=$(dig +short +time=2 +tries=1 "@$DNS" "$NODE.")
  [ -n "$answer" ] || { printf 'the upstream has no answer for %s' "$NODE"; return 1; }
}

until_works services connect
until_works dns resolve
