# shellcheck shell=bash
# Runs inside a node, behind in_subnet.sh, where no Pod has a network any more: forgets the connections that netfilter knows
# of Pods. It keeps them for a day, since nobody was left to end them. A later Pod with the address of one of these, and
# whoever asks a Service from a port that is in one of these entries, would have that connection sent to a Pod that has gone,
# for as long as it is tried. POD_SUBNET is that of all Pods.
set -euo pipefail
# Without it a list that fails inside of $(…) passes for one in which nothing is left.
shopt -s inherit_errexit
: "${POD_SUBNET:?}" "${in_subnet:?}"

if ! command -v conntrack >/dev/null; then
  printf 'this node has no conntrack: what it knows of connections of Pods that go stays for a day\n' >&2
  exit 0
fi

forget() {
  local said status=0
  said=$(conntrack -D "$@" 2>&1 >/dev/null) || status=$?
  # 1: there was none.
  if [ "$status" -gt 1 ]; then printf '%s\n' "$said" >&2; return "$status"; fi
}

# Prints SOURCE TARGET SPORT DPORT of each that is sent to a Pod by another address, a Service's or a node's. conntrack takes
# a subnet of what was asked for, and not of who answers.
sent_to_pods() {
  local tracked
  tracked=$(conntrack -L -f ipv4 -p tcp --dst-nat 2>/dev/null) || { printf 'conntrack does not list the connections\n' >&2; return 1; }
  awk -v subnet="$POD_SUBNET" "$in_subnet"'
    {
      n = 0
      for (i = 1; i <= NF; i++) if (split($i, pair, "=") == 2) value[++n] = pair[2]
      if (within(value[5], subnet)) print value[1], value[2], value[3], value[4]
    }' <<<"$tracked"
}

forget -f ipv4 --orig-src "$POD_SUBNET"
forget -f ipv4 --orig-dst "$POD_SUBNET"
listed=$(sent_to_pods)
while read -r source target sport dport; do
  if [ -n "$source" ]; then
    forget -f ipv4 -p tcp --orig-src "$source" --orig-dst "$target" --sport "$sport" --dport "$dport"
  fi
done <<<"$listed"
