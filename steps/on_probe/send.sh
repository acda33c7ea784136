# shellcheck shell=bash
# Runs in a Pod-network probe: pings each Pod of the arguments with 56 bytes of data (84 as an IP packet), $COUNT times.
# Prints TARGET SENT RECEIVED, a line each; fails where ping does not say how many were answered.
set -euo pipefail
: "${COUNT:?}"

send() { # TARGET
  local said status=0
  said=$(ping -q -n -c "$COUNT" -i 0.2 -W 2 -s 56 "$1" 2>&1) || status=$?
  # Pings that nobody answers are a finding, though ping fails then.
  if [[ $said =~ ([0-9]+)\ packets\ transmitted,\ ([0-9]+)\ (packets\ )?received ]]; then
    printf '%s %s %s\n' "$1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    printf 'ping of %s ends with %s: %s\n' "$1" "$status" "${said//$'\n'/ }" >&2
    return 1
  fi
}

jobs=() failed=0
for target in "$@"; do
  send "$target" &
  jobs+=("$!")
done
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
