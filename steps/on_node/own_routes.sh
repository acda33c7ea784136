# shellcheck shell=bash
# Runs inside a node: waits until the main table has $CNI's route to every peer's podCIDR, from `PODCIDR ADDRESS OWNER
# NAME` lines on stdin, for up to 60 s.
set -euo pipefail
: "${CNI:?}" "${NODE:?}"
deadline=$((SECONDS + 60))
while read -r pod_cidr address _ name; do
  [ "$name" != "$NODE" ] || continue
  case $CNI in
    cilium) wanted="via $address" ;;
    flannel) wanted="dev flannel.1" ;;
  esac
  until grep --quiet -- "$wanted" <<<"$(ip -4 route show table main exact "$pod_cidr")"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '%s has no route of %s to %s within 60 s (%s)\n' "$NODE" "$CNI" "$pod_cidr" "$wanted" >&2
      exit 1
    fi
    sleep 0.2 # between two looks, not in place of a condition
  done
done
