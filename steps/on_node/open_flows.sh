# shellcheck shell=bash
# Runs inside a node, with `ID PID` of its Pods on stdin: prints `open LOCAL REMOTE client|server` of each TCP connection that
# is open in one of them, as ss has it: at the server's end the Pod listens on its port. And `tracked tcp|udp SRC DST SPORT
# DPORT SRC DST SPORT DPORT` (both ways) of each flow that netfilter knows.
set -euo pipefail
while read -r _ pid; do
  said=$(nsenter --target "$pid" --net ss --no-header --tcp --numeric --all exclude time-wait) ||
    # One that has ended has no network any more, also while its number is still taken.
    { ! readlink "/proc/$pid/ns/net" >/dev/null 2>&1 && continue; exit 1; }
  if [ -z "$said" ]; then continue; fi
  awk '
    function port(end) { sub(/.*:/, "", end); return end }
    $1 == "LISTEN" { listens[port($4)]; next }
    $1 != "UNCONN" && $1 != "SYN-SENT" { local[++n] = $4; remote[n] = $5 }
    END { for (i = 1; i <= n; i++) print "open", local[i], remote[i], (port(local[i]) in listens) ? "server" : "client" }
  ' <<<"$said"
done
# Of UDP what has gone on for a while, and what has no answer, as of one who only sends: thousands of questions that have
# theirs would each cost those that wait a look through the whole table.
for proto in tcp udp; do
  # It prints nothing and ends well where there is none: a failure is one.
  conntrack -L -p "$proto" 2>/dev/null | awk -v proto="$proto" '
    proto == "udp" && !/\[(ASSURED|UNREPLIED)\]/ { next }
    { n = 0; for (i = 1; i <= NF; i++) if ($i ~ /^(src|dst|sport|dport)=/) { split($i, part, "="); word[++n] = part[2] }
      if (n == 8) print "tracked", proto, word[1], word[2], word[3], word[4], word[5], word[6], word[7], word[8] }'
done
