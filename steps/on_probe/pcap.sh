# shellcheck shell=bash
# Runs in a host-network probe: pings that reach this node for the Pod $TARGET, and its replies, bare or in a tunnel, as a
# pcap file in base64, and nothing else that goes by. `start` comes back when tcpdump listens and prints the folder; `end`
# prints the file and removes the folder. It ends by itself after $SECONDS_MAX.
set -euo pipefail

start() {
  : "${TARGET:?}" "${COUNT:?}" "${SECONDS_MAX:?}"
  local route folder device inner
  local -a bytes
  route=$(ip -4 route show default)
  [[ $route =~ (^|[[:space:]])dev[[:space:]]+([^[:space:]]+) ]] || { printf 'no default route: %s\n' "$route" >&2; return 1; }
  device=${BASH_REMATCH[2]}
  folder=$(mktemp -d)
  # A filter does not look into a tunnel by itself: behind the headers of UDP, VXLAN and Ethernet, 30 bytes, comes IP with
  # its protocol at 9, its source at 12 and its destination at 16.
  IFS=. read -r -a bytes <<<"$TARGET"
  inner=$(printf '0x%02x%02x%02x%02x' "${bytes[@]}")
  timeout --signal=INT "$SECONDS_MAX" tcpdump -Z root --immediate-mode -U -nn -i "$device" -c "$COUNT" -w "$folder/pcap" \
    "(icmp and host $TARGET) or ((udp dst port 8472 or 4789 or 6081) and udp[39] = 1 and (udp[42:4] = $inner or udp[46:4] = $inner))" \
    </dev/null >/dev/null 2>"$folder/said" &
  printf '%s\n' "$!" >"$folder/pid"
  local deadline=$((SECONDS + 10))
  until grep -q 'listening on' "$folder/said"; do
    ((SECONDS < deadline)) || { printf 'tcpdump does not start: %s\n' "$(tr '\n' ' ' <"$folder/said")" >&2; return 1; }
    sleep 0.05 # between two looks, not in place of a condition
  done
  printf '%s\n' "$folder"
}

end() {
  : "${FOLDER:?}"
  local pid
  pid=$(cat "$FOLDER/pid")
  # It may have ended: with all that it was to see, or with its time.
  kill -INT "$pid" 2>/dev/null || [ ! -e "/proc/$pid" ]
  while [ -e "/proc/$pid" ]; do sleep 0.05; done # between two looks, not in place of a condition
  base64 --wrap=0 "$FOLDER/pcap"
  rm -r -- "$FOLDER"
}

"${1:?start or end}"
