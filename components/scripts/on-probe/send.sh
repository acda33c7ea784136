# shellcheck shell=bash
# Runs in a Pod-network probe: pings each Pod of the arguments with 56 bytes of data (84 as an IP packet), $COUNT times.
set -euo pipefail
: "${COUNT:?}"
for target in "$@"; do
  ping -q -n -c "$COUNT" -i 0.2 -W 2 -s 56 "$target" &
done
wait
