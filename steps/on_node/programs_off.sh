# shellcheck shell=bash
# Runs inside a node whose agent has gone, behind flows_wait.sh, with `SRC SPORT DST DPORT ADDRESS PORT tcp|udp` of flows on
# stdin: takes Cilium's programs away, and puts these over into netfilter's table in the same moment: each goes on as
# ADDRESS:PORT, by which its peer knows it, or as itself. Between the two they alone wait.
set -euo pipefail
shopt -s inherit_errexit
: "${NODE:?}"
pins=/sys/fs/bpf/cilium
rows=$(cat)

# Before Linux 6.6 they are filters, which no pin holds.
filters() {
  local device direction
  for device in /sys/class/net/*; do
    for direction in ingress egress; do
      # A device may have gone since it was listed; the clean-up that follows looks once more.
      if grep --quiet ' cil_' <<<"$(tc filter show dev "${device##*/}" "$direction" 2>/dev/null || true)"; then
        printf '%s %s\n' "${device##*/}" "$direction"
      fi
    done
  done
}

programs_off() {
  local device direction
  rm -rf "$pins"
  if [ -z "$found" ]; then return; fi
  while read -r device direction; do
    # A device that has gone has taken them with it.
    tc filter delete dev "$device" "$direction" || [ ! -e "/sys/class/net/$device" ]
  done <<<"$found"
}

put_over() { # SRC SPORT DST DPORT ADDRESS PORT PROTOCOL
  local way=(-p "$7" -s "$1" -d "$3" --sport "$2" --dport "$4" -u "ASSURED,SEEN_REPLY")
  # UDP's time-out counts from the next packet on.
  if [ "$7" = tcp ]; then way+=(--state ESTABLISHED -t 86400); else way+=(-t 180); fi
  if [ "$1:$2" = "$5:$6" ]; then
    # With the reply's tuple conntrack makes an entry that no rule translates any more.
    way+=(--reply-src "$3" --reply-dst "$1" --reply-port-src "$4" --reply-port-dst "$2")
  else
    way+=(--src-nat "$5:$6")
  fi
  if conntrack -I "${way[@]}" >/dev/null 2>&1; then return; fi
  # What netfilter knew of it was without the translation. Not before: to delete one conntrack reads the whole table, while
  # all of them wait. 1: nothing.
  conntrack -D -p "$7" --orig-src "$1" --orig-dst "$3" --orig-port-src "$2" --orig-port-dst "$4" >/dev/null 2>&1 || true
  conntrack -I "${way[@]}" >/dev/null 2>&1 ||
    printf '%s: the flow %s:%s to %s:%s is lost: it could not be put over\n' "$NODE" "$1" "$2" "$3" "$4" >&2
}

wait_off # of a run that was cut off
# Not while flows wait: it asks twice for each device. Without its agent nobody adds one.
found=$(filters)
# Without them whatever is open goes its way already.
if [ ! -e "$pins" ] && [ -z "$found" ]; then exit 0; fi
if [ -z "$rows" ]; then
  programs_off
  exit 0
fi
trap wait_off EXIT
awk '{ print $1, $2, $3, $4, $7; print $3, $4, $5, $6, $7 }' <<<"$rows" | wait_on PREROUTING
programs_off
while read -r src sport dst dport address port proto; do
  put_over "$src" "$sport" "$dst" "$dport" "$address" "$port" "$proto"
done <<<"$rows"
