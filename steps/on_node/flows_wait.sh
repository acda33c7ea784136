# shellcheck shell=bash
# Before a script inside a node that takes flows from one table to another: until they are there, no packet of theirs
# passes, for it would make an entry of its own. What waits for longer than 0.6 or 1.4 s is sent again after 1.4 or 3 s only.
drop=HANDOVER-DROP

# Whoever has the tables' lock, which the older iptables takes, is waited for: it would say «there is none» instead.
iptables() { command iptables --wait "$@"; }
iptables-restore() { command iptables-restore --wait "$@"; }

chain_there() { iptables -t "$1" -S "$2" >/dev/null 2>&1; }

wait_on() { # HOOK...: the flows `SRC SPORT DST DPORT tcp|udp` on stdin, each way a row of its own
  local hook
  {
    printf '*raw\n:%s - [0:0]\n' "$drop"
    for hook; do printf -- '-I %s -j %s\n' "$hook" "$drop"; done
    awk -v chain="$drop" \
      '{ print "-A " chain " -p " $5 " -s " $1 " -d " $3 " --sport " $2 " --dport " $4 " -j DROP" }'
    printf 'COMMIT\n'
  } | iptables-restore --noflush
}

# One transaction: the removal of the chain itself takes more commands, for which the flows need not wait.
let_go() { printf '*raw\n-F %s\nCOMMIT\n' "$drop" | iptables-restore --noflush; }

# No flow waits any more, for a run that was cut off either.
wait_off() {
  chain_there raw "$drop" || return 0
  let_go
  local hook
  for hook in PREROUTING OUTPUT; do
    while iptables -t raw -C "$hook" -j "$drop" 2>/dev/null; do iptables -t raw -D "$hook" -j "$drop"; done
  done
  iptables -t raw -X "$drop"
}
