# shellcheck shell=bash
# Runs inside a node: $STEP `routes` makes the table of direct routes from `PODCIDR ADDRESS OWNER NAME` lines on stdin,
# `rule` puts it ahead of the main table, `loose`, `away` and `strict` are the way back to the main table.
set -euo pipefail
: "${STEP:?}" "${NODE:?}" "${POD_SUBNET:?}" "${TABLE:?}"
priority=30000
table=$TABLE
baseline=/var/lib/cni-migration/rp_filter

# The kernel has masqueraded the node's own flows to the address of the interface they left by. When their way changes it
# refuses them (EPERM), and with them a new question that happens to use an old one's port. So it is to forget those that
# have their answer; one that is still awaited would be lost.
forget_flows() {
  local address
  address=$(awk -v name="$NODE" '$4 == name { print $2 }')
  # 1: there is none.
  conntrack -D -p udp --orig-src "$address" --status SEEN_REPLY >/dev/null 2>&1 || [ $? -eq 1 ]
}

case $STEP in
  routes)
    while read -r pod_cidr address owner name; do
      if [ "$name" != "$NODE" ]; then
        ip route replace "$pod_cidr" via "$address" table "$table"
      elif [ "$owner" = flannel ]; then
        # Peers send past the tunnel before this node has its rule. Not on a node of Cilium's: there a loose filter cuts
        # the host off from its Pods (3,431 of 10,615 requests failed).
        sysctl --quiet --write net.ipv4.conf.all.rp_filter=2
      fi
    done ;;
  rule)
    if [ -z "$(ip -4 rule show table "$table")" ]; then
      ip rule add priority "$priority" to "$POD_SUBNET" lookup "$table"
      forget_flows
    fi ;;
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
    sed -n 's/^\(net\.ipv4\.conf\.all\.rp_filter\) = /\1=/p' "$baseline" | xargs --no-run-if-empty sysctl --quiet --write ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
