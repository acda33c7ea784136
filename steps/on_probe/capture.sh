# shellcheck shell=bash
# Runs in a host-network probe: starts a capture of the echo requests that reach this node for the Pod $TARGET, bare or in
# a VXLAN or Geneve tunnel, until $COUNT are seen or $SECONDS_MAX have passed. Comes back when tcpdump listens, so that no
# caller has to stay for it; prints the device, the one of the default route, and the folder that captured.sh reads.
set -euo pipefail
: "${TARGET:?}" "${COUNT:?}" "${SECONDS_MAX:?}"
# The inner IPv4 header begins behind UDP (8 bytes), the tunnel's header (8) and Ethernet (14); its protocol is byte 9,
# its destination bytes 16 to 19, and the ICMP type (8 is an echo request) byte 20.
IFS=. read -r a b c d <<<"$TARGET"
inner=$(printf 'udp[39] = 1 and udp[50] = 8 and udp[46:4] = 0x%02x%02x%02x%02x' "$a" "$b" "$c" "$d")
plain="icmp[icmptype] = icmp-echo and dst host $TARGET"

route=$(ip -4 route show default)
[[ $route =~ (^|[[:space:]])dev[[:space:]]+([^[:space:]]+) ]] || { printf 'this node has no default route: %s\n' "$route" >&2; exit 1; }
device=${BASH_REMATCH[2]}
folder=$(mktemp -d)

capture() {
  local status=0
  # -Z root: the probe has no user of tcpdump's own to change to.
  timeout --signal=INT "$SECONDS_MAX" tcpdump -Z root --immediate-mode -nn -v -l -i "$device" -c "$COUNT" \
    "($plain) or ((udp dst port 8472 or udp dst port 4789 or udp dst port 6081) and $inner)" \
    >"$folder/text" 2>"$folder/said" || status=$?
  printf '%s\n' "$status" >"$folder/ended.part"
  mv "$folder/ended.part" "$folder/ended"
}

# Without the caller's output: kubectl exec would wait for all that holds it.
: >"$folder/said"
capture </dev/null >/dev/null 2>&1 &
# One more: SECONDS goes on with the clock's whole seconds, and the first may be over at once.
deadline=$((SECONDS + SECONDS_MAX + 1))
while true; do
  ended=no
  if [ -e "$folder/ended" ] || [ "$SECONDS" -ge "$deadline" ]; then ended=yes; fi
  if grep -q 'listening on' "$folder/said"; then break; fi
  if [ "$ended" = yes ]; then
    printf 'tcpdump does not start: %s\n' "$(tr '\n' ' ' <"$folder/said")" >&2
    exit 1
  fi
  sleep 0.05 # between two looks, not in place of a condition
done
printf '%s %s\n' "$device" "$folder"
