# shellcheck shell=bash
# Runs in a host-network probe: captures the echo requests that reach this node for the Pod $TARGET, bare or in a VXLAN
# or Geneve tunnel, until $COUNT are seen or $SECONDS_MAX have passed. Prints tcpdump's text; says on stderr which device
# it captures on, the one of the default route.
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
printf 'capturing on %s\n' "$device" >&2

# -Z root: the probe has no user of tcpdump's own to change to.
status=0
timeout --signal=INT "$SECONDS_MAX" tcpdump -Z root --immediate-mode -nn -v -l -i "$device" -c "$COUNT" \
  "($plain) or ((udp dst port 8472 or udp dst port 4789 or udp dst port 6081) and $inner)" || status=$?
# 124: the time was up before all packets were seen. That is a finding, which the reader of the text makes.
[ "$status" -eq 0 ] || [ "$status" -eq 124 ]
