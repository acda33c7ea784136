# shellcheck shell=bash
# Sourced by the scripts beside it: words on stderr, who is running, the marker, and kubectl for this cluster.

readonly MARKER=cni-migration
# Where the recording of the interruption is on each node: `run` while it goes on, which holds the epoch, and a folder
# an epoch. A hostPath of the probers, too.
readonly TRAFFIC=/var/lib/cni-migration/traffic

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Prints who is running: this host, the process that started the script (the command plugin, which lives exactly as
# long as its `pulumi up`) and when that process started, since process numbers are used again.
holder() { printf '%s %s %s' "$(uname -n)" "$PPID" "$(started "$PPID")"; }

# Prints when a process started, in a form that no clock or locale changes; fails where it is gone.
started() {
  if [ -d /proc/self ]; then
    # Ticks since boot, the 20th field behind the name (which may hold spaces), and the boot they count from.
    sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20 | paste -d@ - /proc/sys/kernel/random/boot_id
  else
    LC_ALL=C TZ=UTC ps -o lstart= -p "$1" | tr -s ' ' '_'
  fi
}

# Succeeds where the holder $1 still runs on this host; fails where it has ended, or nobody is named.
holder_alive() {
  local host pid since
  read -r host pid since <<<"$1"
  [ "$host" = "$(uname -n)" ] && [ -n "$pid" ] && [ "$(started "$pid" 2>/dev/null)" = "$since" ]
}

# Points kubectl, helm and kind at a private kubeconfig that goes with the script.
private_kubeconfig() {
  KUBECONFIG=$(mktemp)
  export KUBECONFIG
  trap 'rm -f -- "$KUBECONFIG"' EXIT
}

# The same with the kubeconfig of $CLUSTER in it.
use_cluster() {
  private_kubeconfig
  kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG" ||
    fail "kind has no kubeconfig for cluster $CLUSTER. Is a node stopped? Start it (docker start), run the same again"
}

# Prints a field of the marker's data, or nothing where there is no marker. Fails where the API does not answer.
marker_field() {
  kubectl --namespace kube-system --request-timeout=15s get configmap "$MARKER" --ignore-not-found \
    --output "jsonpath={.data.$1}"
}

# Names this process in the marker as the one that migrates, at the start of each step: an `up` that goes on after it was
# cut off does not claim again. Fails where somebody else owns the cluster by now.
hold() {
  kubectl --namespace kube-system patch configmap "$MARKER" --type json --patch "[
    {\"op\": \"test\", \"path\": \"/data/stack\", \"value\": \"$STACK\"},
    {\"op\": \"test\", \"path\": \"/data/epoch\", \"value\": \"$EPOCH\"},
    {\"op\": \"replace\", \"path\": \"/data/holder\", \"value\": \"$(holder)\"}]" >&2 ||
    fail "cluster $CLUSTER is not owned by stack $STACK with epoch $EPOCH any more; look at \`pulumi preview\`"
}

# Notes in the recording that the step $1 begins now; does nothing where nothing is recorded.
mark() {
  # shellcheck disable=SC2016 # expanded on the node
  docker exec "$CLUSTER-control-plane" bash -euo pipefail -c '
    [ -e "$1/run" ] || exit 0
    printf "%s step %s\n" "$(date +%s%3N)" "$2" >>"$1/$(cat "$1/run")/steps"' mark "$TRAFFIC" "$1"
}

# Prints a marker as a manifest: RESOURCE_VERSION (empty: any) STACK CNI GENERATION EPOCH PHASE HOLDER STRATEGY
marker_manifest() {
  cat <<EOM
apiVersion: v1
kind: ConfigMap
metadata:
  name: $MARKER
  namespace: kube-system
  resourceVersion: "$1"
data:
  stack: "$2"
  cni: "$3"
  generation: "$4"
  epoch: "$5"
  phase: "$6"
  holder: "$7"
  strategy: "$8"
EOM
}

# Prints NAMESPACE NAME CREATED CONTROLLER of every Pod on the Pod network that has not ended; CONTROLLER is its kind, or
# `none`.
pods_on_pod_network() {
  kubectl get pods --all-namespaces --field-selector status.phase!=Succeeded,status.phase!=Failed --output go-template='{{range .items}}{{if not .spec.hostNetwork}}{{
    .metadata.namespace}} {{.metadata.name}} {{.metadata.creationTimestamp}} {{with .metadata.ownerReferences}}{{
    (index . 0).kind}}{{else}}none{{end}}{{"\n"}}{{end}}{{end}}'
}
