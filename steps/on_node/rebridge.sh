# shellcheck shell=bash
# Runs inside a node, behind each_pod.sh: puts Pods that run and are routed on their own into Flannel's bridge. $STEP
# `bridge` makes the bridge as Flannel's plugin would, and puts each into it; `dress` gives each the address, the routes and
# the MTU of a Pod of Flannel's; `settle` leaves the way to them to the bridge's own route, when cilium_host has gone.
# Every step can be repeated.
set -euo pipefail
: "${STEP:?}" "${NODE:?}" "${GATEWAY:?}" "${NETWORK:?}" "${PREFIX:?}" "${POD_SUBNET:?}" "${MTU:?}"

plug() {
  local address=$2 index=$3 mac=$4 name=$5 now
  now=$(device "$index")
  [ -n "$now" ] || return 1
  ip neigh replace "$address" lladdr "$mac" dev cni0 nud permanent &&
    ip link set dev "$now" master cni0 &&
    ip route replace "$address/32" dev cni0 scope link src "$GATEWAY" &&
    bridge link set dev "$now" hairpin on || return
  if [ "$now" != "$name" ]; then ip link set dev "$now" name "$name" || return; fi
  put "conf/$name/proxy_arp" 0
}

dress() {
  local pid=$1 address=$2 index=$3 near ways routers router to metric
  # Cilium's router is a single address, which other ways go by. A Pod's own routes stay: with its default way on eth0
  # again, one that sends by a tunnel of its own would send in clear.
  near=$(in_pod "$pid" ip -4 route show dev eth0 scope link) && ways=$(in_pod "$pid" ip -4 route show dev eth0) || return
  ways=$(awk '$2 == "via" { m = ""; for (i = 4; i < NF; i++) if ($i == "metric") m = $(i + 1); print $1, $3, m }' <<<"$ways")
  routers=$(awk 'NR == FNR { by[$2]; next } $1 in by { print $1 }' <(printf '%s\n' "$ways") - <<<"$near")
  in_pod "$pid" ip addr replace "$address/$PREFIX" brd + dev eth0 &&
    in_pod "$pid" ip -4 neigh flush dev eth0 &&
    in_pod "$pid" ip neigh replace "$GATEWAY" lladdr "$(cat /sys/class/net/cni0/address)" dev eth0 nud reachable || return
  while read -r to router metric; do
    if [ -z "$router" ]; then continue; fi
    # By the gateway as well: Cilium's agent has given such a way an MTU.
    if [ "$router" = "$GATEWAY" ] || grep --quiet --line-regexp --fixed-strings "$router" <<<"$routers"; then
      # Without its metric it would take the place of another one's.
      in_pod "$pid" ip route replace "$to" via "$GATEWAY" dev eth0 ${metric:+metric "$metric"} || return
    fi
  done <<<"$ways"
  for router in $routers; do in_pod "$pid" ip route delete "$router" dev eth0 scope link || return; done
  if [ -z "$(in_pod "$pid" ip -4 route show exact "$POD_SUBNET")" ]; then
    in_pod "$pid" ip route add "$POD_SUBNET" via "$GATEWAY" dev eth0 || return
  fi
  if [ -n "$(in_pod "$pid" ip -4 -oneline addr show dev eth0 to "$address/32" | awk '$4 ~ "/32$"')" ]; then
    in_pod "$pid" ip addr delete "$address/32" dev eth0 || return
  fi
  # Not where the Pod has made it less.
  if [ "$(in_pod "$pid" ip -oneline link show dev eth0 | sed 's/.* mtu \([0-9]*\) .*/\1/')" -gt "$MTU" ]; then
    in_pod "$pid" ip link set dev eth0 mtu "$MTU" || return
  fi
  ip link set dev "$(device "$index")" mtu "$MTU"
}

settle() {
  local address=$2 name=$5 device
  if [ -n "$(ip -4 route show table main exact "$address/32" dev cni0)" ]; then
    ip route delete "$address/32" dev cni0 || return
  fi
  for device in cni0 "$name"; do
    if [ -n "$(ip -4 neigh show to "$address" dev "$device" nud permanent)" ]; then
      ip neigh delete "$address" dev "$device" || return
    fi
  done
}

case $STEP in
  bridge)
    if [ ! -e /sys/class/net/cni0 ]; then ip link add name cni0 type bridge; fi
    # Its own address once more: a bridge that was not given one takes the least of its ports'.
    ip link set dev cni0 mtu "$MTU" address "$(cat /sys/class/net/cni0/address)" up
    ip addr replace "$GATEWAY/$PREFIX" brd + dev cni0
    redirects_off cni0
    each plug ;;
  dress) each dress ;;
  settle)
    # Of a way there that was taken back: its agent has put a route of its own in the place of the bridge's.
    if [ -z "$(ip -4 route show table main exact "$NETWORK/$PREFIX" dev cni0)" ]; then
      ip route replace "$NETWORK/$PREFIX" dev cni0 proto kernel scope link src "$GATEWAY"
    fi
    each settle
    redirects_back ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
