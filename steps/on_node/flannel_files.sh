# shellcheck shell=bash
# Runs inside a node, behind host_local.sh, with `ID ADDRESS CONFIGURATION` of Pods on stdin: what Flannel's plugin and
# host-local would have written when they made their networks. $STEP `write`: without it their addresses would be given to
# others, and their DEL would know of nothing. `list` prints `ID ADDRESS` of what is written; `forget`: of Pods that have
# ended since, whose DEL did not come to these plugins.
set -euo pipefail
: "${STEP:?}" "${networks:?}"
delegates=/var/lib/cni/flannel
results=/var/lib/cni/results

mkdir -p "$networks" "$delegates"
if [ "$STEP" = list ]; then
  for file in "$networks"/*.*.*.*; do
    if [ -s "$file" ]; then printf '%s %s\n' "$(owner_of "${file##*/}")" "${file##*/}"; fi
  done
  exit 0
fi
while read -r id address configuration; do
  case $STEP in
    write)
      # The delegate's last: a DEL that is called in between finds no network, and no half of one.
      take_address "$address" "$id" eth0
      printf '%s' "$configuration" >"$delegates/$id.new"
      mv "$delegates/$id.new" "$delegates/$id"
      rm -f "$results/cilium-$id-eth0" ;;
    forget)
      # Somebody else's by now, perhaps.
      if [ -e "$networks/$address" ] && [ "$(owner_of "$address")" = "$id" ]; then
        rm -f "$networks/$address"
      fi
      rm -f "$delegates/$id" ;;
    *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
  esac
done
