# shellcheck shell=bash
# Runs inside a node: $STEP `sandboxes` prints what the runtime says of each sandbox that is up, a JSON document each;
# `links` reads `ID PID` lines and prints `ID INDEX MAC ADDRESS` for those with a network of their own: the number of the
# veth's end on the node, and the Pod's MAC and address; or `ID ?` and why it has not what a CNI gives. `devices` prints the
# number, the name and the MAC of each device that a CNI has made for a Pod: the ports of cni0, and Cilium's.
set -euo pipefail
: "${STEP:?}"

# One that has ended has no network any more, also while its number is still taken.
ended() { ! readlink "/proc/$1/ns/net" >/dev/null 2>&1; }

case $STEP in
  sandboxes)
    for attempt in 1 2 3 4 5; do
      # Not in a here-string: a list that failed would pass for a node without Pods.
      listed=$(crictl --timeout 60s pods --state Ready --quiet) || continue
      if [ -z "$listed" ]; then exit 0; fi
      mapfile -t ids <<<"$listed"
      # All in one question: each costs as much as the answers to ten.
      if said=$(crictl --timeout 60s inspectp --output json "${ids[@]}"); then
        printf '%s\n' "$said"
        exit 0
      fi
      # One of them may have ended since it was listed; the next list does not have it.
      printf '%s: the runtime does not say who they are (try %s)\n' "$NODE" "$attempt" >&2
    done
    printf '%s: the runtime does not say who runs\n' "$NODE" >&2
    exit 1 ;;
  links)
    own=$(readlink /proc/self/ns/net)
    while read -r id pid; do
      # 1: it has ended.
      net=$(readlink "/proc/$pid/ns/net") || continue
      if [ "$net" = "$own" ]; then continue; fi
      if ! said=$(nsenter --target "$pid" --net bash -c 'ip -oneline link show && ip -4 -oneline addr show scope global'); then
        if ended "$pid"; then continue; fi
        printf '%s: the network of %s cannot be looked at\n' "$NODE" "$id" >&2
        exit 1
      fi
      link=$(sed -n '/^[0-9]*: eth0[@:].*link\//p' <<<"$said")
      address=$(awk '$2 == "eth0" && $3 == "inet" { sub("/.*", "", $4); print $4; exit }' <<<"$said")
      if [ -z "$link" ]; then
        printf '%s ? has no eth0\n' "$id"
      elif ! [[ $link =~ eth0@if([0-9]+): ]]; then
        printf '%s ? has an eth0 that is no veth\n' "$id"
      elif [ -z "$address" ]; then
        printf '%s ? has no IPv4 address on eth0\n' "$id"
      else
        index=${BASH_REMATCH[1]}
        [[ $link =~ link/ether\ ([0-9a-f:]+) ]] || { printf '%s: eth0 of %s has no MAC\n' "$NODE" "$id" >&2; exit 1; }
        printf '%s %s %s %s\n' "$id" "$index" "${BASH_REMATCH[1]}" "$address"
      fi
    done ;;
  devices)
    for device in /sys/class/net/cni0/brif/* /sys/class/net/lxc* /sys/class/net/hot[0-9]*; do
      name=${device##*/}
      # Of the agent itself.
      if [ "$name" = lxc_health ]; then continue; fi
      # It may be gone since it was listed.
      if said=$(cat "/sys/class/net/$name/ifindex" "/sys/class/net/$name/address" 2>/dev/null); then
        { read -r index; read -r mac; } <<<"$said"
        printf '%s %s %s\n' "$index" "$name" "$mac"
      fi
    done | sort --unique ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
