# shellcheck shell=bash
# Runs inside a node, behind flows_wait.sh, with the table of nodes on stdin. A MASQUERADE is bound to the device by which its
# flow left: when the way changes the kernel drops the flow. An SNAT is not. $STEP `on`, where Flannel is, makes new flows
# SNATs of the same address, and SNATs of those that are open. `back`, where Flannel is to be, does so with what leads from a
# node to Pods on others, before Flannel would masquerade it; `alone` also masquerades what leads out of the node's Pods,
# which no CNI does for the time. `off` takes the rules away, and the tunnel's address where no flow has it any more.
set -euo pipefail
# Without it a question that fails inside of $(…) passes for one without an answer.
shopt -s inherit_errexit
: "${STEP:?}" "${NODE:?}" "${SNATED_MARK:?}"
read -r pod_cidr address < <(awk -v name="$NODE" '$4 == name { print $1, $2 }')
network=${pod_cidr%/*}
# The tunnel has the podCIDR's own address, the bridge the one after it.
gateway=${network%.*}.$((${network##*.} + 1))
snat=HANDOVER-SNAT

snat_on() { # RULE...
  local rule
  chain_there nat "$snat" || iptables -t nat -N "$snat"
  # One transaction: the chain is never without its rules.
  {
    printf '*nat\n-F %s\n' "$snat"
    for rule; do printf -- '-A %s %s\n' "$snat" "$rule"; done
    printf 'COMMIT\n'
  } | iptables-restore --noflush
  iptables -t nat -C POSTROUTING -j "$snat" 2>/dev/null || iptables -t nat -I POSTROUTING -j "$snat"
}

# Passes on the tuples of conntrack's entries, SRC DST SPORT DPORT both ways, and their protocol.
tuples() {
  awk '
    { n = 0; for (i = 1; i <= NF; i++) if ($i ~ /^(src|dst|sport|dport)=/) { split($i, part, "="); word[++n] = part[2] }
      if (n == 8) print word[1], word[2], word[3], word[4], word[5], word[6], word[7], word[8], $1 }'
}

# Asks conntrack for the open flows of a protocol that have been given this address, to list (-L) or delete (-D) them. Of
# UDP those that have gone on for a while: a single question has its answer, or is asked again.
given() { # -L|-D tcp|udp ADDRESS [OPTION...]
  local act=$1 proto=$2 address=$3 which=(--state ESTABLISHED)
  if [ "$proto" = udp ]; then which=(--status ASSURED); fi
  shift 3
  conntrack "$act" -p "$proto" "${which[@]}" --src-nat "$address" "$@"
}

flows() { # [OPTION...]
  local given_to proto
  for given_to in "$network" "$gateway"; do
    # It prints nothing and ends well where there is none: a failure is one.
    for proto in tcp udp; do given -L "$proto" "$given_to" "$@" 2>/dev/null; done
  done | tuples
}

# Passes those rows on, as `flows` prints them, that are still open: of TCP with an end on this node, by the addresses that
# are its `own`, its sockets tell. An entry for a connection that has ended would lead the next one with its ports to where
# that one led, for a day. Open is as well what its process has closed while its FIN is still to go: behind data, or once
# more, since it was dropped here.
still_open() {
  local sockets
  sockets=$(ss --no-header --tcp --numeric state established state fin-wait-1 state closing state last-ack |
    awk '{ print $4, $5 }') || return
  awk '
    NR == FNR && $1 == "own" { own[$2]; next }
    NR == FNR { gsub(/\[::ffff:|\]|%[^: ]*/, ""); open[$1 " " $2]; next }
    $9 == "udp" || !($1 in own) || (($1 ":" $3 " " $2 ":" $4) in open)' <(printf '%s\n' "$own" "$sockets") -
}

# Prints a flow as the line by which conntrack inserts it as an SNAT: marked, so that nobody does it again, nor does
# direct_routes.sh forget it.
entry() { # SRC DST SPORT DPORT BACK_SRC BACK_DST BACK_SPORT BACK_DPORT PROTOCOL
  # UDP's time-out counts from the next packet on.
  local state='--timeout 180' nat="--src-nat $6:$8"
  if [ "$5:$7" != "$2:$4" ]; then nat+=" --dst-nat $5:$7"; fi
  if [ "$9" = tcp ]; then state='--state ESTABLISHED --timeout 86400'; fi
  # Without the reply's tuple: with it conntrack makes an entry without NAT.
  printf -- '-I -p %s -s %s -d %s --sport %s --dport %s -u ASSURED,SEEN_REPLY --mark %s %s %s\n' \
    "$9" "$1" "$2" "$3" "$4" "$SNATED_MARK" "$state" "$nat"
}

# Puts the flows on stdin back by one command. That ends with the first that is there already, and conntrack before 1.4.7
# does not know it: then one by one.
put_back() {
  local rows row words said
  rows=$(cat)
  if [ -z "$rows" ]; then return; fi
  if while read -ra row; do entry "${row[@]}"; done <<<"$rows" | conntrack --load-file - >/dev/null 2>&1; then return; fi
  while read -ra row; do
    read -ra words <<<"$(entry "${row[@]}")"
    if conntrack "${words[@]}" >/dev/null 2>&1; then continue; fi
    # The first command may have put it back; a packet may have made another. No answer counts as none: it is said to be lost.
    said=$(conntrack -G "${words[@]:1:10}" 2>/dev/null || true)
    [[ $said == *" src=${row[4]} dst=${row[5]} sport=${row[6]} dport=${row[7]} "*" mark=$((SNATED_MARK)) "* ]] ||
      printf '%s: the connection %s:%s to %s:%s is lost: it could not be put back as an SNAT\n' \
        "$NODE" "${row[0]}" "${row[2]}" "${row[1]}" "${row[3]}" >&2
  done <<<"$rows"
}

# Between the deletion and the insertion a packet would make an entry without NAT, so these flows wait for it; for as short
# as can be. Conntrack reads the whole table for each question, so it is one for all of them.
unmasq() {
  local own found open said taken rows asked failed='' proto given_to src dst sport dport
  local unmarked=(--mark "0/$SNATED_MARK")
  own=$(ip -4 -oneline addr | awk '{ sub("/.*", "", $4); print "own", $4 }')
  found=$(flows "${unmarked[@]}" | still_open | sort -u)
  if [ -z "$found" ]; then return; fi
  asked=$(awk '{ print $9, $6 }' <<<"$found" | sort -u)
  deleted=$(mktemp)
  trap 'wait_off; rm -f "$deleted"' EXIT
  awk '{ print $1, $3, $2, $4, $9; print $5, $7, $6, $8, $9 }' <<<"$found" | wait_on PREROUTING OUTPUT
  while read -r proto given_to; do
    # Its two streams apart: together they cut each other's lines. It ends with 1 where there is none any more.
    said=$(given -D "$proto" "$given_to" "${unmarked[@]}" 2>&1 >>"$deleted") ||
      [[ $said == *'entries have been deleted'* ]] || failed+="$said "
  done <<<"$asked"
  # Where nobody says what is open, all of them.
  taken=$(tuples <"$deleted" | sort -u)
  rows=$(still_open <<<"$taken") || rows=$taken
  comm -12 <(printf '%s\n' "$found") <(printf '%s\n' "$rows") | put_back
  let_go
  # Those whose handshake has ended since the look wait for nothing, and their packets may have made entries meanwhile: they
  # are older than the rules, so there are few.
  comm -13 <(printf '%s\n' "$found") <(printf '%s\n' "$rows") | put_back
  # What was reset meanwhile may have said so to nobody, its last packet being among those that waited. What has said so
  # since is not established any more.
  open=$(still_open <<<"$rows") || { failed+="what is open cannot be told "; open=$rows; }
  comm -23 <(printf '%s\n' "$rows") <(printf '%s\n' "$open") | while read -r src dst sport dport _ _ _ _ proto; do
    if [ -z "$src" ]; then continue; fi
    conntrack -D -p "$proto" --state ESTABLISHED \
      --orig-src "$src" --orig-dst "$dst" --orig-port-src "$sport" --orig-port-dst "$dport" \
      >/dev/null 2>&1 || true # it may be gone
  done
  # Not before: what was deleted is back.
  if [ -n "$failed" ]; then
    printf '%s: not all connections became SNATs: %s\n' "$NODE" "$failed" >&2
    return 1
  fi
}

case $STEP in
  on)
    wait_off # of a run that was cut off
    # Only where Flannel's tunnel is: elsewhere nothing is masqueraded to these addresses.
    if [ -e /sys/class/net/flannel.1 ]; then
      # First: a flow made between the two would be masqueraded. What is marked 0x4000 would be by kube-proxy. Its
      # connection's mark tells it from those that are older than the rules.
      marked='-m mark --mark 0x4000/0x4000 -j'
      known="CONNMARK --set-xmark $SNATED_MARK/$SNATED_MARK"
      snat_on "-o flannel.1 $marked $known" "-o cni0 $marked $known" \
        "-o flannel.1 $marked SNAT --to-source $network" "-o cni0 $marked SNAT --to-source $gateway"
      unmasq
    fi ;;
  back | alone)
    : "${POD_SUBNET:?}"
    wait_off
    device=$(ip -4 -oneline addr show to "$address/32" | awk '{ print $2; exit }')
    [ -n "$device" ] || { printf '%s: no device has its address %s\n' "$NODE" "$address" >&2; exit 1; }
    rules=("-o $device ! -s $POD_SUBNET -d $POD_SUBNET -j SNAT --to-source $address")
    if [ "$STEP" = alone ]; then rules+=("-o $device -s $pod_cidr ! -d $POD_SUBNET -j MASQUERADE"); fi
    snat_on "${rules[@]}" ;;
  off)
    wait_off
    if chain_there nat "$snat"; then
      while iptables -t nat -C POSTROUTING -j "$snat" 2>/dev/null; do iptables -t nat -D POSTROUTING -j "$snat"; done
      iptables -t nat -F "$snat"
      iptables -t nat -X "$snat"
    fi
    # The tunnel's address is on lo from the moment when the tunnel went, for the flows that have it (handover.sh).
    if [ -n "$(ip -4 -o addr show dev lo to "$network/32")" ]; then
      left=$(flows)
      # Of Flannel again, it is its tunnel's.
      if [ -z "$left" ] || [ -n "$(ip -4 -o addr show dev flannel.1 to "$network/32" 2>/dev/null || true)" ]; then
        ip addr delete "$network/32" dev lo
      else
        printf '%s: %s stays on lo until the next start, since connections that are open have it\n' "$NODE" "$network" >&2
      fi
    fi ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
