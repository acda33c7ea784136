# shellcheck shell=bash
# Runs inside a node, behind each_pod.sh: routes each Pod on its own, by no CNI's help, while it runs. $WAY `there` is for
# Pods of Flannel's bridge, which they do not leave yet: their devices get the names that Cilium would have given them.
# $WAY `back` is for Pods of Cilium's, whose programs are still there. It can be repeated.
set -euo pipefail
: "${STEP:?}" "${NODE:?}" "${WAY:?}"

# An agent's start deletes a veth whose peer's number is that of an lxc* device whose peer's number is its own (Cilium's
# endpoint_restore.go): in a container that could be a device that leads out of it. Such a Pod's device has another name.
looks_like_a_pair() { # DEVICE INDEX
  local other peer
  peer=$(cat "/sys/class/net/$1/iflink")
  for other in /sys/class/net/*; do
    if [ "${other##*/}" != "$1" ] && [ "$(cat "$other/iflink")" = "$2" ] && [ "$(cat "$other/ifindex")" = "$peer" ]; then
      return 0
    fi
  done
  return 1
}

there() {
  local index=$3 name=$5 now
  now=$(device "$index")
  [ -n "$now" ] || return 1
  if looks_like_a_pair "$now" "$index"; then name=hot$index; fi
  # While it is up, which takes Linux 6.2.
  if [ "$now" != "$name" ]; then ip link set dev "$now" name "$name" || return; fi
  routed "$name" "$2" "$4"
}

back() {
  local now
  now=$(device "$3")
  [ -n "$now" ] || return 1
  # One that is in the bridge already, before a move was cut off.
  if [ -e "/sys/class/net/$now/master" ]; then return; fi
  routed "$now" "$2" "$4"
}

routed() { # DEVICE ADDRESS MAC
  put "conf/$1/rp_filter" 0 && put "conf/$1/send_redirects" 0 && put "conf/$1/forwarding" 1 &&
    put "neigh/$1/proxy_delay" 0 && put "conf/$1/proxy_arp" 1 &&
    ip neigh replace "$2" lladdr "$3" dev "$1" nud permanent &&
    ip route replace "$2/32" dev "$1" scope link proto kernel
}

for conf in all default cni0; do
  [ -e "/proc/sys/net/ipv4/conf/$conf" ] || continue
  put "conf/$conf/rp_filter" 0
  redirects_off "$conf"
done
case $WAY in
  there | back) each "$WAY" ;;
  *) printf 'unknown way: %s\n' "$WAY" >&2; exit 1 ;;
esac
