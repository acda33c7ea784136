# Reads nodes (NAME OWNER READY USABLE CPU MEMORY), a line `-`, and Pods (NODE KIND NAME CPU,MEMORY...). Prints a line for
# each node whose Pods the other usable nodes have no room for, by requests, all nodes taken together.
function cpu(text) { return text ~ /m$/ ? text + 0 : text * 1000 }
function bytes(text, unit) {
  unit = text
  sub(/^[0-9.]+/, "", unit)
  if (unit == "m") return text / 1000
  if (unit in power) return text * power[unit]
  return text + 0
}
BEGIN {
  split("k M G T Ki Mi Gi Ti", units, " ")
  for (i = 1; i <= 4; i++) { power[units[i]] = 1000 ^ i; power[units[i + 4]] = 1024 ^ i }
}
$1 == "-" { behind = 1; next }
!behind { names[++n] = $1; usable[$1] = $4 == "yes"; has_cpu[$1] = cpu($5); has_memory[$1] = bytes($6); next }
{
  for (i = 4; i <= NF; i++) {
    split($i, request, ",")
    used_cpu[$1] += cpu(request[1]); used_memory[$1] += bytes(request[2])
    # A DaemonSet's Pods stay, and so do the static ones.
    if ($2 != "DaemonSet" && $2 != "Node") { moves_cpu[$1] += cpu(request[1]); moves_memory[$1] += bytes(request[2]) }
  }
  if ($2 != "DaemonSet" && $2 != "Node") moves[$1]++
}
END {
  for (i = 1; i <= n; i++) {
    room_cpu = room_memory = others = 0
    for (j = 1; j <= n; j++) if (j != i && usable[names[j]]) {
      others++
      room_cpu += has_cpu[names[j]] - used_cpu[names[j]]
      room_memory += has_memory[names[j]] - used_memory[names[j]]
    }
    if (!moves[names[i]]) continue
    if (!others) printf "node %s has %d Pods to drain, and there is no other node that takes Pods\n", names[i], moves[names[i]]
    else if (moves_cpu[names[i]] > room_cpu)
      printf "node %s: its Pods ask for %dm of CPU, and the other nodes have %dm left\n", names[i], moves_cpu[names[i]], room_cpu
    else if (moves_memory[names[i]] > room_memory)
      printf "node %s: its Pods ask for %d MiB of memory, and the other nodes have %d MiB left\n", names[i], moves_memory[names[i]] / 2 ^ 20, room_memory / 2 ^ 20
  }
}
