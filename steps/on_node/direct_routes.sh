# shellcheck shell=bash
# Runs inside a node, behind in_subnet.sh: $STEP `routes` makes the table of direct routes from `PODCIDR ADDRESS OWNER NAME` lines on stdin,
# `rule` puts it ahead of the main table, `again` does both where they are gone; `loose`, `away` and `strict` are the way
# back to the main table.
set -euo pipefail
: "${STEP:?}" "${NODE:?}" "${POD_SUBNET:?}" "${TABLE:?}" "${SNATED_MARK:?}" "${in_subnet:?}"
priority=30000
table=$TABLE
baseline=/var/lib/cni-migration/rp_filter
# Says that it is loose on purpose (clean.sh).
loose=$baseline.loose

# The kernel has masqueraded the node's own flows to the address of the interface they left by. When their way changes it
# refuses them (EPERM), and with them a new question that happens to use an old one's port. So it is to forget those that
# have their answer; one that is still awaited would be lost. Those that unmasq.sh has made SNATs of go on.
forget_flows() {
  local address
  address=$(awk -v name="$NODE" '$4 == name { print $2 }')
  # 1: there is none.
  conntrack -D -p udp --orig-src "$address" --status SEEN_REPLY --mark "0/$SNATED_MARK" >/dev/null 2>&1 || [ $? -eq 1 ]
}

# Prints how many open TCP connections come by the tunnel and go past it, or the other way round: those between a Pod and
# the own address of a node, since only what Flannel has masqueraded has a tunnel's address. By the table on stdin.
two_ways() {
  local tracked
  # Not in a pipe: a question that failed is not an answer.
  tracked=$(conntrack -L -p tcp --state ESTABLISHED 2>/dev/null) ||
    { printf '%s: conntrack does not list the open connections\n' "$NODE" >&2; return 1; }
  awk -v subnet="$POD_SUBNET" -v own="$NODE" "$in_subnet"'
    function crosses(pod, node) { return within(pod, subnet) && (node in nodes) && !(node == nodes_own && within(pod, own_cidr)) }
    NR == FNR { nodes[$2]; if ($4 == own) { nodes_own = $2; own_cidr = $1 }; next }
    { n = 0; for (i = 1; i <= NF; i++) if ($i ~ /^(src|dst)=/) { split($i, part, "="); word[++n] = part[2] }
      # The answers: what they go to is what the peer sees.
      if (n == 4 && (crosses(word[3], word[4]) || crosses(word[4], word[3]))) count++ }
    END { print count + 0 }' - <(printf '%s\n' "$tracked")
}

routes() {
  local pod_cidr address owner name
  while read -r pod_cidr address owner name; do
    if [ "$name" != "$NODE" ]; then
      ip route replace "$pod_cidr" via "$address" table "$table"
    elif [ "$owner" = flannel ]; then
      # Peers send past the tunnel before this node has its rule. Not on a node of Cilium's: there a loose filter cuts
      # the host off from its Pods (3,431 of 10,615 requests failed).
      sysctl --quiet --write net.ipv4.conf.all.rp_filter=2
    fi
  done
}

rule() {
  if [ -z "$(ip -4 rule show table "$table")" ]; then
    ip rule add priority "$priority" to "$POD_SUBNET" lookup "$table"
    forget_flows
  fi
}

case $STEP in
  routes) routes ;;
  rule) rule ;;
  again)
    peers=$(cat)
    routes <<<"$peers"
    rule <<<"$peers" ;;
  loose) sysctl --quiet --write net.ipv4.conf.all.rp_filter=2 ;;
  away)
    while [ -n "$(ip -4 rule show table "$table")" ]; do ip rule delete priority "$priority" table "$table"; done
    # 2: there is no such table.
    if [ -n "$({ ip -4 route show table "$table" 2>/dev/null || [ $? -eq 2 ]; })" ]; then ip route flush table "$table"; fi
    forget_flows ;;
  strict)
    # A cluster that came with Cilium has none: what was before is not known, and a guess could cut Pods off.
    if [ ! -e "$baseline" ]; then
      printf '%s: rp_filter stays loose, since nobody noted what it was before Cilium (%s)\n' "$NODE" "$baseline" >&2
      exit 0
    fi
    open=0
    # Where it was not strict before, nothing would be cut off.
    if grep --quiet '^net\.ipv4\.conf\.all\.rp_filter = 1$' "$baseline"; then open=$(two_ways); fi
    if [ "$open" -gt 0 ]; then
      # Strict filtering would cut them off: 8 of 35 were. The next clean-up of the node, or its next start, makes it strict.
      printf '%s: rp_filter stays loose (2): %s open connections between Pods and nodes go one way past the tunnel\n' \
        "$NODE" "$open" >&2
      : >"$loose"
      exit 0
    fi
    rm -f "$loose"
    sed -n 's/^\(net\.ipv4\.conf\.all\.rp_filter\) = /\1=/p' "$baseline" | xargs --no-run-if-empty sysctl --quiet --write ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
