# shellcheck shell=bash
# Sourced beside common.sh: what the steps of a rolling migration ask of nodes and of the Pods on them; $NODE is the one
# that moves.

# Runs on-node/$2.sh inside the node $1, with the assignments that follow in its environment and this stdin.
on_node() {
  local node=$1 script=$2
  shift 2
  docker exec --interactive "$node" env "NODE=$node" "$@" bash -c "$(cat "$(dirname "$0")/on-node/$script.sh")" "$script"
}

# Prints PODCIDR ADDRESS OWNER NAME of every node; OWNER is its label cni-owner.
node_table() {
  kubectl get nodes --output go-template='{{range .items}}{{.spec.podCIDR}} {{range .status.addresses}}{{
    if eq .type "InternalIP"}}{{.address}} {{end}}{{end}}{{index .metadata.labels "cni-owner"}} {{.metadata.name}}{{"\n"}}{{end}}'
}

nodes_owned_by() { kubectl get nodes --selector "cni-owner=$1" --output name; }

nodes_not_owned_by() { kubectl get nodes --selector "cni-owner!=$1" --output name; }

# Cordons the node $1 and notes that a move did it, in one stroke: a user's own cordon has no such note, and stays.
cordon() {
  kubectl patch node "$1" --patch '{"metadata": {"annotations": {"cni-migration/cordoned": "true"}}, "spec": {"unschedulable": true}}' >&2
}

# Lets the node $1 take Pods again that a move has cordoned.
lift_cordon() {
  kubectl patch node "$1" --patch '{"metadata": {"annotations": {"cni-migration/cordoned": null}}, "spec": {"unschedulable": null}}' >&2
}

# The same on every node side by side, with the table of nodes on stdin. All end before a failure of one is reported.
on_every_node() {
  local script=$1 table name job stumbled=() jobs=()
  shift
  table=$(node_table)
  while read -r _ _ _ name; do
    on_node "$name" "$script" "POD_SUBNET=$POD_SUBNET" "$@" <<<"$table" &
    jobs+=("$!:$name")
  done <<<"$table"
  for job in "${jobs[@]}"; do wait "${job%%:*}" || stumbled+=("${job#*:}"); done
  [ "${#stumbled[@]}" -eq 0 ] || fail "$script $* failed on ${stumbled[*]}"
}

# Tells Cilium of the nodes that have no agent yet. It would not know their addresses for nodes', masquerade what goes
# there, and stop doing so when their agent comes: connections to the API that are open then are cut off.
introduce_nodes() {
  local known pod_cidr address name
  { kubectl wait customresourcedefinition/ciliumnodes.cilium.io --for=create --timeout=120s &&
    kubectl wait customresourcedefinition/ciliumnodes.cilium.io --for=condition=Established --timeout=60s; } >&2 ||
    fail "Cilium's operator has not made its CustomResourceDefinitions within 120 s: kubectl -n kube-system get pods"
  known=$(kubectl get ciliumnodes --output 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}')
  while read -r pod_cidr address _ name; do
    if ! grep --fixed-strings --line-regexp --quiet -- "$name" <<<"$known"; then
      # Another node's move may be faster by a moment.
      kubectl create --filename - >&2 <<END || kubectl get ciliumnode "$name" >/dev/null
{"apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "$name"},
 "spec": {"addresses": [{"type": "InternalIP", "ip": "$address"}], "ipam": {"podCIDRs": ["$pod_cidr"]}}}
END
    fi
  done < <(node_table)
}

# The label of a CNI's agents.
agent_of() {
  case $1 in
    cilium) printf k8s-app=cilium ;;
    flannel) printf app=flannel ;;
  esac
}

# Waits until a Pod with the label $1 is Ready on $NODE, for up to $2 seconds. By watching: on a small machine questions
# in a loop take from the agent the CPU that it needs to start.
await_pod() {
  : "${NODE:?}"
  local what=(pods --all-namespaces --selector "$1" --field-selector "spec.nodeName=$NODE" "--timeout=${2}s")
  { kubectl wait "${what[@]}" --for=create && kubectl wait "${what[@]}" --for=condition=Ready; } >&2 ||
    fail "$NODE has no Pod $1 that is ready within $2 s; run the same command again"
}

# Prints NAMESPACE NAME UID READY CONTROLLER of the Pods on $NODE that are on the Pod network and have not ended, those of
# the phase $1 where one is given. READY is True, False or leaving, CONTROLLER its kind or `none`.
pods_of_node() {
  # shellcheck disable=SC2016 # the dollars are the template's
  kubectl get pods --all-namespaces \
    --field-selector "spec.nodeName=$NODE,status.phase!=Succeeded,status.phase!=Failed${1:+,status.phase=$1}" \
    --output go-template='{{range .items}}{{if not .spec.hostNetwork}}{{$ready := "False"}}{{range .status.conditions}}{{
    if eq .type "Ready"}}{{$ready = .status}}{{end}}{{end}}{{if .metadata.deletionTimestamp}}{{$ready = "leaving"}}{{end}}{{
    .metadata.namespace}} {{.metadata.name}} {{.metadata.uid}} {{$ready}} {{with .metadata.ownerReferences}}{{
    (index . 0).kind}}{{else}}none{{end}}{{"\n"}}{{end}}{{end}}'
}

# Asks for the eviction of NAMESPACE NAME UID, which asks the Pod's budgets; with a fourth argument, at once and without
# the Pod's grace period. Fails, with the answer, where one refuses.
evict() {
  kubectl create --raw "/api/v1/namespaces/$1/pods/$2/eviction" --filename - 2>&1 <<<"{
    \"apiVersion\": \"policy/v1\", \"kind\": \"Eviction\", \"metadata\": {\"name\": \"$2\", \"namespace\": \"$1\"},
    \"deleteOptions\": {${4:+\"gracePeriodSeconds\": 0,} \"preconditions\": {\"uid\": \"$3\"}}}"
}

# Evicts the Pods that are on $NODE now, but those whose controller is a $2, and waits until they are gone, all within $1
# seconds. A budget that refuses is asked again every second: kubectl drain asks every five, which made a node's move
# longer by three. Otherwise it says what is left, and fails.
evict_pods_of_node() {
  local deadline=$((SECONDS + $1)) pods left namespace name uid ready answer refused
  pods=$(pods_of_node | awk -v but="${2-}" '$5 != but') || return
  left=$pods
  while [ -n "$left" ]; do
    refused=()
    while read -r namespace name uid ready _; do
      [ "$ready" != leaving ] || continue
      answer=$(evict "$namespace" "$name" "$uid") || [[ $answer == *NotFound* || $answer == *Conflict* ]] ||
        refused+=("$namespace/$name: $answer")
    done <<<"$left"
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "these Pods do not leave $NODE within $1 s: $(awk '{ print $1 "/" $2 }' <<<"$left" | xargs)." "${refused[@]}"
      return 1
    fi
    sleep 1 # between two questions, not in place of a condition
    left=$(pods_of_node | awk 'NR == FNR { ours[$3]; next } $3 in ours' <(printf '%s\n' "$pods") -) || return
  done
}

# Has the Pods made anew that this node has refused so far: the kubelet would try them again only after 10 to 15 s. They
# run nowhere yet, so no budget minds.
renew_pending_pods() {
  local pods namespace name uid answer
  pods=$(pods_of_node Pending)
  [ -n "$pods" ] || return 0
  while read -r namespace name uid _; do
    answer=$(evict "$namespace" "$name" "$uid" now) || say "$NODE: $namespace/$name is left to the kubelet: $answer"
  done <<<"$pods"
}

# Waits until every Pod on $NODE is ready, for up to $1 seconds.
await_pods_of_node() {
  local pods namespace name deadline=$((SECONDS + $1))
  while pods=$(pods_of_node | awk '$4 != "True" && $4 != "leaving"') && [ -n "$pods" ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "these Pods on $NODE are not ready within $1 s: $(awk '{ print $1 "/" $2 }' <<<"$pods" | xargs)"
    read -r namespace name _ <<<"$pods"
    # It may be replaced meanwhile, which ends the wait and is no failure: all are looked at again.
    kubectl wait pod "$name" --namespace "$namespace" --for=condition=Ready --timeout=10s >/dev/null 2>&1 ||
      say "$NODE: waiting for $namespace/$name"
  done
}

# Prints NAMESPACE/NAME of the budgets that permit no eviction now, though there are Pods that they protect.
blocking_budgets() {
  kubectl get poddisruptionbudgets --all-namespaces --output go-template='{{range .items}}{{.metadata.namespace}}/{{
    .metadata.name}} {{.status.disruptionsAllowed}} {{.status.expectedPods}}{{"\n"}}{{end}}' |
    awk '$2 == 0 && $3 > 0 { print $1 }'
}
