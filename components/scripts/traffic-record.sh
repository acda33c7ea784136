#!/usr/bin/env bash
# Starts to record what a migration interrupts: on each of $NODES the probers find $EPOCH in the recording's `run`.
# Where the network is not up there is nothing to measure, and nothing is started. Where a prober has no answer, that is a
# failure in `rolling`; `recreate` goes on unmeasured, since it may be what mends the network.
# shellcheck disable=SC2016 # what `inside` gets is expanded on the node
set -euo pipefail
# shellcheck source=components/scripts/common.sh
. "$(dirname "$0")/common.sh"
: "${CLUSTER:?}" "${EPOCH:?}" "${STRATEGY:?}" "${NODES:?}"
use_cluster
control_plane=$CLUSTER-control-plane
namespace=cni-migration

inside() { # NODE SCRIPT: the script's arguments are the recording's folder, the epoch and the control plane
  docker exec "$1" bash -euo pipefail -c "$2" inside "$TRAFFIC" "$EPOCH" "$control_plane"
}

# The control plane's `run` is written last: where it is, every node has one.
start() {
  inside "$1" '
    mkdir -p "$1/$2"
    find "$1" -mindepth 1 -maxdepth 1 ! -name "$2" -exec rm -rf -- {} +
    if [ "$(uname -n)" = "$3" ]; then printf "%s step before\n" "$(date +%s%3N)" >"$1/$2/steps"; fi
    printf "%s\n" "$2" >"$1/run.new"
    mv "$1/run.new" "$1/run"'
}

stop() { for node in "${nodes[@]}"; do inside "$node" 'rm -f "$1/run"'; done; }

# Prints the probers that have an answer in their log on the node $1.
answered() {
  inside "$1" '
    shopt -s nullglob
    for log in "$1/$2"/*.log; do
      if grep --quiet " ok " "$log"; then basename "$log" .log; fi
    done'
}

patience=$([ "$STRATEGY" = rolling ] && printf 120 || printf 30)

unmeasured() {
  say "$*"
  [ "$STRATEGY" = rolling ] || { say "so the interruption is not measured" && exit 0; }
  fail "rolling goes by what is measured; mend that, or set traffic.enabled to false"
}

read -ra others <<<"$NODES"
nodes=()
for node in "${others[@]}"; do [ "$node" = "$control_plane" ] || nodes+=("$node"); done
nodes+=("$control_plane")

state=$(inside "$control_plane" '
  if [ -e "$1/$2/report.json" ]; then echo reported
  elif [ -e "$1/run" ] && [ "$(cat "$1/run")" = "$2" ]; then echo recording
  else echo none; fi')
case $state in
  reported)
    say "the interruption of this migration (epoch $EPOCH) is reported already; nothing is recorded"
    exit 0
    ;;
  recording)
    say "the recording of this migration's interruption (epoch $EPOCH) goes on"
    # Probers give a recording up that nobody has touched for an hour.
    for node in "${nodes[@]}"; do inside "$node" 'touch "$1/run"'; done
    exit 0
    ;;
esac

ready=$(kubectl get nodes --output \
  'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')
if grep --invert-match --line-regexp --quiet True <<<"$ready"; then
  say "the network is not up, so its interruption is not measured"
  exit 0
fi

for workload in daemonset/traffic-host deployment/traffic; do
  kubectl rollout status "$workload" --namespace "$namespace" --timeout="${patience}s" >&2 ||
    unmeasured "the probers ($workload) do not all run within $patience s: kubectl --namespace $namespace get pods"
done
probers=$(kubectl get pods --namespace "$namespace" --selector 'app in (traffic, traffic-host)' \
  --output go-template='{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' | sort)

for node in "${nodes[@]}"; do start "$node"; done
say "recording what the migration interrupts"

deadline=$((SECONDS + 15))
until
  silent=$(for node in "${nodes[@]}"; do answered "$node"; done | sort | comm -13 - <(printf '%s\n' "$probers"))
  [ -z "$silent" ]
do
  if [ "$SECONDS" -ge "$deadline" ]; then
    stop
    unmeasured "these probers have no answer from the network within 15 s: $(xargs <<<"$silent")." \
      "See kubectl --namespace $namespace logs"
  fi
  sleep 0.3 # between two looks, not in place of a condition
done
