# shellcheck shell=bash
# Before a script inside a node that is given `PID ADDRESS INDEX MAC NAME` of each of its Pods on stdin: PID is of its
# sandbox, INDEX the number of its veth's end on the node, MAC the Pod's own, NAME what that end is to be called.
rows=$(cat)
redirects=${REDIRECTS:-/var/lib/cni-migration/send_redirects}

put() { printf '%s' "$2" >"/proc/sys/net/ipv4/$1"; }
in_pod() { local pid=$1; shift; nsenter --target "$pid" --net "$@"; }
device() { ip -oneline link show | sed -n "s/^$1: \([^:@]*\)[:@].*/\1/p"; }
# A node would tell its Pods of shorter ways that there will not be. What it did before is kept until the move's end.
redirects_off() { # DEVICE...
  local conf
  mkdir -p "${redirects%/*}"
  for conf; do
    if [ ! -e "$redirects.$conf" ]; then cat "/proc/sys/net/ipv4/conf/$conf/send_redirects" >"$redirects.$conf"; fi
    put "conf/$conf/send_redirects" 0
  done
}
redirects_back() {
  local kept conf
  for kept in "$redirects".*; do
    [ -e "$kept" ] || continue
    conf=${kept#"$redirects".}
    # The bridge may have gone meanwhile.
    if [ -e "/proc/sys/net/ipv4/conf/$conf" ]; then put "conf/$conf/send_redirects" "$(cat "$kept")"; fi
    rm -f "$kept"
  done
}
# One that has ended has no network any more, also while its number is still taken.
gone() { ! readlink "/proc/$1/ns/net" >/dev/null 2>&1; }
each() { # COMMAND: with each row; a Pod that has ended meanwhile has taken its veth with it
  local pid address index mac name
  if [ -z "$rows" ]; then return; fi
  while read -r pid address index mac name; do
    if gone "$pid"; then continue; fi
    "$@" "$pid" "$address" "$index" "$mac" "$name" || gone "$pid" ||
      { printf '%s: %s of the Pod with the address %s failed\n' "$NODE" "$STEP" "$address" >&2; return 1; }
  done <<<"$rows"
}
