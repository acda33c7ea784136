# shellcheck shell=bash
# Runs inside a node, behind host_local.sh. Cilium's router has an address of the network of the node's Pods, by which the
# node itself asks them; where Cilium came by another way than under running Pods it is not their gateway, and would go with
# cilium_host. $STEP `keep`, before Flannel's plugin gives addresses away, puts it on lo for the connections that are open:
# with scope link nothing new takes it, and no Pod is given it. `off` takes it away, where no connection has it any more.
set -euo pipefail
shopt -s inherit_errexit
: "${STEP:?}" "${NODE:?}" "${networks:?}"
label=lo:cilium_host
owner=cni-migration-router

addresses() { # DEVICE [LABEL]
  ip -4 -oneline addr show dev "$1" ${2:+label "$2"} | awk '{ sub("/.*", "", $4); print $4 }'
}

# Of sockets that are connected, whatever their family. What waits for late packets needs no address.
open() { # ADDRESS
  ss --no-header --tcp --udp --numeric state connected exclude time-wait |
    awk -v address="$1" '{ gsub(/\[::ffff:|\]|%[^: ]*/, ""); sub(/:[0-9]+$/, "", $5) } $5 == address'
}

case $STEP in
  keep)
    : "${GATEWAY:?}"
    if [ -e /sys/class/net/cilium_host ]; then
      for address in $(addresses cilium_host); do
        if [ "$address" != "$GATEWAY" ]; then ip addr replace "$address/32" dev lo scope link label "$label"; fi
      done
    fi
    mkdir -p "$networks"
    for address in $(addresses lo "$label"); do take_address "$address" "$owner" lo; done ;;
  off)
    for address in $(addresses lo "$label"); do
      said=$(open "$address")
      if [ -z "$said" ]; then
        ip addr delete "$address/32" dev lo
      else
        printf '%s: %s stays on lo until the next start or migration, since connections that are open have it\n' \
          "$NODE" "$address" >&2
      fi
    done
    kept=$(addresses lo "$label")
    for file in "$networks"/*.*.*.*; do
      # The node may have been started again meanwhile.
      if [ -e "$file" ] && [ "$(owner_of "${file##*/}")" = "$owner" ] &&
        ! grep --quiet --line-regexp --fixed-strings "${file##*/}" <<<"$kept"; then
        rm -f "$file"
      fi
    done ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
