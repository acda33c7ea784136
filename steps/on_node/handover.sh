# shellcheck shell=bash
# Runs inside a node, behind each_pod.sh: takes its Pods out of Flannel's bridge while they run and are routed on their own.
# $STEP `leave` takes the ports off the bridge; `tunnel` takes flannel.1 away; `served` leaves the answer for the gateway to
# Cilium's program; `bridge` takes cni0 away once Cilium has its address. Every step can be repeated.
set -euo pipefail
: "${STEP:?}" "${NODE:?}" "${GATEWAY:?}" "${NETWORK:?}"

# What a Pod knows by another MAC it now knows by that of the end of its own veth: a frame for a port's own MAC goes up the
# stack while it is still in the bridge, so nothing is lost on the way out.
neighbours() {
  local pid=$1 index=$3 host known neighbour
  host=$(cat "/sys/class/net/$(device "$index")/address") || return
  known=$(in_pod "$pid" ip -4 neigh show dev eth0) || return
  awk -v mac="$host" '$2 == "lladdr" && $3 != mac { print $1 }' <<<"$known" | while read -r neighbour; do
    in_pod "$pid" ip neigh replace "$neighbour" lladdr "$host" dev eth0 nud reachable || return
  done
}

unplug() {
  local now
  now=$(device "$3")
  [ -n "$now" ] && ip link set dev "$now" nomaster
}

served() {
  local now
  now=$(device "$3")
  [ -n "$now" ] && put "conf/$now/proxy_arp" 0
}

case $STEP in
  served) each served ;;
  leave)
    each neighbours
    each unplug
    # Again: what it has learnt since.
    each neighbours ;;
  tunnel)
    if [ -e /sys/class/net/flannel.1 ]; then
      # For the flows that have its address; with scope link nothing new takes it.
      ip addr replace "$NETWORK/32" dev lo scope link
      ip link delete dev flannel.1
    fi
    # Of a way back that was cut off: an agent keeps the address that it finds there, which need not be the gateway's.
    if [ -e /sys/class/net/cilium_host ] && [ -z "$(ip -4 -oneline addr show dev cilium_host to "$GATEWAY/32")" ]; then
      ip link delete dev cilium_host
    fi ;;
  bridge)
    redirects_back
    [ -e /sys/class/net/cni0 ] || exit 0
    if [ -z "$(ip -4 -oneline addr show dev cilium_host to "$GATEWAY/32")" ]; then
      printf "%s: Cilium's router has not the address %s, which is the Pods' gateway\n" "$NODE" "$GATEWAY" >&2
      exit 1
    fi
    for port in /sys/class/net/cni0/brif/*; do
      [ -e "$port" ] || continue
      printf '%s: %s is still in the bridge cni0\n' "$NODE" "${port##*/}" >&2
      exit 1
    done
    ip link delete dev cni0 ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
