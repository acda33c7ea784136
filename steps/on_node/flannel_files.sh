# shellcheck shell=bash
# Runs inside a node, with `ID ADDRESS CONFIGURATION` of Pods on stdin: what Flannel's plugin and host-local would have
# written when they made their networks. $STEP `write`: without it their addresses would be given to others, and their DEL
# would know of nothing. `list` prints `ID ADDRESS` of what is written; `forget`: of Pods that have ended since, whose DEL
# did not come to these plugins.
set -euo pipefail
: "${STEP:?}"
networks=/var/lib/cni/networks/cbr0
delegates=/var/lib/cni/flannel
results=/var/lib/cni/results

mkdir -p "$networks" "$delegates"
if [ "$STEP" = list ]; then
  for file in "$networks"/*.*.*.*; do
    if [ -s "$file" ]; then printf '%s %s\n' "$(head -1 "$file" | tr -d '\r')" "${file##*/}"; fi
  done
  exit 0
fi
while read -r id address configuration; do
  case $STEP in
    write)
      # The delegate's last: a DEL that is called in between finds no network, and no half of one.
      printf '%s\r\n%s' "$id" eth0 >"$networks/$address.new"
      mv "$networks/$address.new" "$networks/$address"
      printf '%s' "$configuration" >"$delegates/$id.new"
      mv "$delegates/$id.new" "$delegates/$id"
      rm -f "$results/cilium-$id-eth0" ;;
    forget)
      # Somebody else's by now, perhaps.
      if [ -e "$networks/$address" ] && [ "$(head -1 "$networks/$address" | tr -d '\r')" = "$id" ]; then
        rm -f "$networks/$address"
      fi
      rm -f "$delegates/$id" ;;
    *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
  esac
done
