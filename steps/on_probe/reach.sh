# shellcheck shell=bash
# Runs in a probe: prints `services true|false`, `dns true|false`, for each ADDRESS:PORT of the arguments, a probe Pod's,
# `pod ADDRESS:PORT true|false` and, where false, `why …`. Each is tried until it works or $SECONDS_MAX have passed, since
# endpoints take a moment to reach every node.
set -euo pipefail
: "${SERVICE:?}" "${DNS:?}" "${API:?}" "${NODE:?}" "${SECONDS_MAX:?}"
DOMAIN=${DOMAIN:-cluster.local} # kubeadm's, where none is named

until_works() { # NAME COMMAND...
  local name=$1 said deadline=$((SECONDS + SECONDS_MAX))
  shift
  until said=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '%s false\nwhy %s: %s\n' "$name" "$*" "${said//[$'\n\r']/ }"
      return
    fi
    sleep 0.2 # between two tries, not in place of a condition
  done
  printf '%s true\n' "$name"
}

# A probe answers with its name.
connect() { # ADDRESS:PORT
  local answer
  answer=$(timeout 2 bash -c "exec 3<>/dev/tcp/${1/:/\/}; cat <&3") || { printf 'no connection to %s' "$1"; return 1; }
  [ -n "$answer" ] || { printf 'no answer from %s' "$1"; return 1; }
}

# dig says on stdout that nobody answers, too: only its exit and the shape of what it prints tell an answer.
ask() { dig +time=2 +tries=1 "@$DNS" "$@" || { printf '; dig ends with %s' "$?"; return 1; }; }

# The API's own name must give its ClusterIP, and a name outside the cluster must be answered by the upstream, to which
# CoreDNS forwards it: a BPF host route round it is how external names die on kind. The node's is such a name: Docker's
# DNS knows it; another upstream says that there is none, which is an answer as well.
resolve() {
  local name=kubernetes.default.svc.$DOMAIN. answer
  answer=$(ask +short "$name") || { printf 'no answer for %s: %s' "$name" "$answer"; return 1; }
  [[ $answer =~ ^[0-9]+(\.[0-9]+){3}$ ]] || { printf 'the answer for %s is no address: %s' "$name" "${answer:-nothing}"; return 1; }
  [ "$answer" = "$API" ] || { printf '%s is %s, not %s' "$name" "$answer" "$API"; return 1; }
  answer=$(ask +noall +comments +answer "$NODE.") || { printf 'the upstream has no answer for %s: %s' "$NODE" "$answer"; return 1; }
  [[ $answer =~ status:\ (NOERROR|NXDOMAIN), ]] || { printf 'the upstream has no good answer for %s: %s' "$NODE" "${answer:-nothing}"; return 1; }
}

# The Pods side by side: fifty that do not answer would take half an hour one after the other.
jobs=()
for pod in "$@"; do
  until_works "pod $pod" connect "$pod" &
  jobs+=("$!")
done
until_works services connect "$SERVICE"
until_works dns resolve
for job in "${jobs[@]}"; do wait "$job"; done
