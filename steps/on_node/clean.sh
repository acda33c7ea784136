# shellcheck shell=bash
# Runs inside a node, with the table of steps/residue.py on stdin: removes what matches, by name, and says what on stderr.
# Prints the time when it was done. With MODE=list it removes nothing and prints what it would remove; with MODE=rows the
# same, as `KIND WHAT: ITEM`, so that each line tells its row.
# PEERS are the addresses of the cluster's nodes.
set -euo pipefail
# Without it a list that fails inside of $(…) passes for one in which nothing is left.
shopt -s inherit_errexit
MODE=${MODE:-remove}
PEERS=${PEERS:-}
# The values of rp_filter before any CNI of ours ran here; saved once, on the first clean-up of a node.
baseline=/var/lib/cni-migration/rp_filter

# The kubelet makes these three, and would miss them until its next start.
kubelet='^KUBE-(FIREWALL|KUBELET-CANARY|IPTABLES-HINT)$'

# Both backends, IPv4 and IPv6; those that the node has.
backends() {
  local tool
  for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
    if command -v "$tool-save" >/dev/null; then printf '%s\n' "$tool"; fi
  done
}

# Prints BACKEND TABLE CHAIN for the chains that begin with $1.
list_chains() {
  local tool
  for tool in $(backends); do
    "$tool-save" | awk -v tool="$tool" -v prefix="$1" -v keep="$kubelet" '
      /^\*/ { table = substr($1, 2) }
      /^:/ { chain = substr($1, 2); if (index(chain, prefix) == 1 && chain !~ keep) print tool, table, chain }'
  done
}

# Removes the chains that begin with $1 and every rule that jumps to one, one transaction a backend.
remove_chains() {
  local tool
  for tool in $(list_chains "$1" | cut -d' ' -f1 | sort -u); do
    "$tool-save" | awk -v prefix="$1" -v keep="$kubelet" '
      function ours(chain) { return index(chain, prefix) == 1 && chain !~ keep }
      /^\*/ { print; n = 0 }
      /^:/ { chain = substr($1, 2); if (ours(chain)) { print ":" chain " - [0:0]"; drop[++n] = chain } }
      /^-A / && !ours($2) { for (i = 3; i < NF; i++) if (($i == "-j" || $i == "-g") && ours($(i + 1))) { sub(/^-A/, "-D"); print; break } }
      /^COMMIT/ { for (i = 1; i <= n; i++) print "-X " drop[i]; print }' | "$tool-restore" --noflush
  done
}

# Prints DEVICE DIRECTION for the devices with a tc program whose name begins with $1.
list_filters() {
  local device direction
  for device in /sys/class/net/*; do
    for direction in ingress egress; do
      # No pipe: grep ends at the first match, and a tc that is cut off by that would pass for no match. A device that has
      # gone since it was listed has none.
      if grep --quiet " $1" <<<"$(tc filter show dev "${device##*/}" "$direction" 2>/dev/null || true)"; then
        printf '%s %s\n' "${device##*/}" "$direction"
      fi
    done
  done
}

# Routes to $1 by way of another node: Cilium makes them with protocol `kernel` (before 1.13 with none). The node's own
# network may be in the same range, and its route has no `via`.
list_routes() {
  ip -4 route show table main root "$1" | awk -v peers="$PEERS" '
    BEGIN { n = split(peers, list, " "); for (i = 1; i <= n; i++) peer[list[i]] = 1 }
    $2 == "via" && ($3 in peer) && (!/ proto / || / proto kernel( |$)/)'
}

# Of the device that leads out of the node, and of the defaults.
sysctl_values() {
  local device
  device=$(ip -4 route show default | sed -n 's/^.* dev \([^ ]*\).*/\1/p' | head -1)
  sysctl -a --pattern "^net\\.ipv4\\.conf\\.(all|default|$device)\\.rp_filter\$"
}

# Prints the saved values that are others now. By the saved names: another device may lead out of the node by now, and one
# that is gone has nothing to bring back.
changed_sysctls() {
  local key value
  while IFS=' =' read -r key value; do
    [ -e "/proc/sys/$(tr ./ /. <<<"$key")" ] || continue
    # Loose on purpose, for connections that are open (direct_routes.sh). A clean-up ends that.
    if [ "$MODE" != remove ] && [ -e "$baseline.loose" ] && [ "$key" = net.ipv4.conf.all.rp_filter ] &&
      [ "$(sysctl --values "$key")" = 2 ]; then
      continue
    fi
    if [ "$(sysctl --values "$key")" != "$value" ]; then printf '%s = %s\n' "$key" "$value"; fi
  done <"$baseline"
}

list() { # KIND WHAT: one thing a line
  local item
  case $1 in
    link)
      for item in /sys/class/net/*; do
        # shellcheck disable=SC2053 # the right side is a pattern
        if [[ ${item##*/} == $2 ]]; then printf '%s\n' "${item##*/}"; fi
      done ;;
    process) pgrep --exact -- "$2" || [ $? -eq 1 ] ;;
    tc) list_filters "$2" ;;
    mount) findmnt --noheadings --output TARGET --raw | grep --fixed-strings --line-regexp -- "$2" || [ $? -eq 1 ] ;;
    path) compgen -G "$2" || [ $? -eq 1 ] ;;
    chains) list_chains "$2" ;;
    nft-table) if command -v nft >/dev/null; then nft list tables | sed -n "s/^table \($2\)\$/\1/p"; fi ;;
    # 2: there is no such table.
    table) { ip -4 route show table "$2" 2>/dev/null || [ $? -eq 2 ]; } | sed 's/^/route /' ;;
    rule) for item in -4 -6; do ip $item rule show table "$2" | sed "s/^/$item /"; done ;;
    routes) list_routes "$2" ;;
    # There on purpose, for connections that are open (router.sh). A clean-up ends that.
    address) if [ "$MODE" = remove ]; then ip -4 -oneline addr show dev lo label "$2" | awk '{ print $4 }'; fi ;;
    sysctls) if [ -e "$baseline" ]; then changed_sysctls; fi ;;
    *) printf 'unknown kind of residue: %s\n' "$1" >&2; return 1 ;;
  esac
}

remove() { # KIND WHAT ITEM
  case $1 in
    # A veth goes with its peer, and cilium_net with cilium_host.
    link) if [ -e "/sys/class/net/$3" ]; then ip link delete dev "$3"; fi ;;
    # A plugin call ends by itself within seconds; one that hangs is ended.
    process) timeout 10 tail --pid="$3" --follow /dev/null || { [ $? -eq 124 ] && kill "$3"; } ;;
    tc) # shellcheck disable=SC2086 # device and direction are two words
      tc filter delete dev $3 ;;
    mount) umount -- "$3" ;;
    path) rm -rf -- "$3" ;;
    nft-table) # shellcheck disable=SC2086 # family and name are two words
      nft delete table $3 ;;
    rule) ip "${3%% *}" rule delete priority "$(cut -d' ' -f2 <<<"${3%%:*}")" table "$2" ;;
    table) # One flush takes all of its lines.
      if [ -n "$(list table "$2")" ]; then ip -4 route flush table "$2"; fi ;;
    routes) # shellcheck disable=SC2086 # a route is many words
      ip -4 route delete ${3%% proto *} ;;
    address) ip addr delete "$3" dev lo ;;
    sysctls) sysctl --quiet --write "${3// /}" && rm -f "$baseline.loose" ;;
    *) return 1 ;;
  esac
}

# Whether it has gone since it was listed, by itself or with something else: a plugin call ends, a device takes its routes
# and its programs with it.
gone() { # KIND WHAT ITEM
  local now
  now=$(list "$1" "$2") || return
  ! grep --quiet --fixed-strings --line-regexp -- "$3" <<<"$now"
}

save_baseline() {
  if [ ! -e "$baseline" ] && [ ! -e /etc/sysctl.d/99-zzz-override_cilium.conf ]; then
    mkdir -p "${baseline%/*}"
    sysctl_values >"$baseline.new"
    mv "$baseline.new" "$baseline"
  fi
}

table=$(cat)
rows() {
  while read -r kind what; do
    list "$kind" "$what" | while read -r item; do printf '%s %s: %s\n' "$kind" "$what" "$item"; done
  done <<<"$table"
}
case $MODE in
  list)
    while read -r kind what; do list "$kind" "$what" | sed "s/^/$kind /"; done <<<"$table"
    exit 0 ;;
  rows)
    rows
    exit 0 ;;
esac

save_baseline
while read -r kind what; do
  found=$(list "$kind" "$what")
  [ -n "$found" ] || continue
  if [ "$kind" = chains ]; then
    printf 'chains: %s, %d of them\n' "$what" "$(wc -l <<<"$found")" >&2
    remove_chains "$what"
    continue
  fi
  while read -r item; do
    printf '%s: %s\n' "$kind" "$item" >&2
    remove "$kind" "$what" "$item" || gone "$kind" "$what" "$item"
  done <<<"$found"
done <<<"$table"

left=$(rows)
if [ -n "$left" ]; then
  printf 'still there after the clean-up:\n%s\n' "$left" >&2
  exit 1
fi
for item in /etc/cni/net.d/*.cilium_bak; do
  # The holding plugin's is this project's own, and goes with it (hold.sh).
  if [ ! -e "$item" ] || [[ $item == */99-cni-migration.* ]]; then continue; fi
  printf 'left as it is: %s, which Cilium has renamed (cni.exclusive) and this project did not make\n' "$item" >&2
done
date --utc +%Y-%m-%dT%H:%M:%SZ
