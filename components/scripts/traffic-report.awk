# Reads a recording, sorted by time (`<ms> step <name>`, `<ms> <prober> <kind> <target> <outcome> <duration ms>`, where
# <ms> is when the answer came or the failure was certain), and prints what the migration interrupted as JSON on one line.
# A step lasts until the next one; `end` is none. A request belongs to the step in which it was made. A gap is the time
# between two answers that one prober got of one target, whichever requests they answer.
# Variables: strategy, max_failures (new connections), max_gap_ms.
BEGIN { kinds = split("service pod dns api held", kind_at, " ") }
function quoted(text) { gsub(/["\\]/, "'", text); return "\"" text "\"" }
# The step of a time that has passed; 0 where it was none.
function step_at(ms,    i) {
  if (ended && ms >= ended) return 0
  for (i = steps; i > 0 && since[i] > ms; i--) {}
  return i
}
function fail(kind, reason) {
  failures[made, kind]++
  if (!(made SUBSEP kind SUBSEP reason in told)) reasons[made, kind] = add(reasons[made, kind], reason)
  told[made, kind, reason]
}
function add(text, more) { return text (text == "" ? "" : ", ") more }
$2 == "step" {
  if (now) seconds[now] = ($1 - since[now]) / 1000
  name = substr($0, index($0, " step ") + 6)
  now = name == "end" ? 0 : ++steps
  if (now) { step[now] = name; since[now] = $1; ended = 0 } else ended = $1
  next
}
NF != 6 { next } # the last line of a prober that was killed
{ latest = $1; made = step_at($1 - $6) }
$3 == "begin" { stream[$2]++; next } # a prober that starts again: the time between is no gap
{ key = $2 SUBSEP stream[$2] SUBSEP $3 SUBSEP $4 }
$5 == "closed" { delete last[key]; next }
# Counted as what it is. Until when its prober gave it up (10 s) is the prober's patience, and no gap of the network: what
# the network does meanwhile, the new connections show.
$5 == "broken" { if (made) broken[made, $3]++; delete last[key]; next }
made && $3 != "held" {
  requests[made, $3]++
  if ($5 != "ok") fail($3, substr($5, 8))
  else if ($6 > slowest[made, $3]) slowest[made, $3] = $6
}
$5 == "ok" {
  if (key in last) {
    gap = $1 - last[key]
    at = begun[key]
    if (at && gap > longest[at, $3]) longest[at, $3] = gap
  }
  last[key] = $1
  begun[key] = now
}
function numbers(asked, failed, gap, slow, cut) {
  return sprintf("\"requests\":%d,\"failures\":%d,\"longestGapSeconds\":%.3f,\"slowestSeconds\":%.3f,\"connectionsBroken\":%d", \
    asked, failed, gap / 1000, slow / 1000, cut)
}
# The kinds of a step as JSON; adds them to the sums, which are step 0.
function kinds_of(at,    i, kind, text) {
  for (i = 1; i <= kinds; i++) {
    kind = kind_at[i]
    text = text (i > 1 ? "," : "") quoted(kind) ":{" \
      numbers(requests[at, kind], failures[at, kind], longest[at, kind], slowest[at, kind], broken[at, kind]) "}"
    if (at) sum(at, kind)
  }
  return "{" text "}"
}
function sum(at, kind) {
  requests[0, kind] += requests[at, kind]; asked += requests[at, kind]
  failures[0, kind] += failures[at, kind]; failed += failures[at, kind]
  broken[0, kind] += broken[at, kind]; cut += broken[at, kind]
  if (failures[at, kind]) where = add(where, failures[at, kind] " " kind " in " step[at] ": " reasons[at, kind])
  if (slowest[at, kind] > slowest[0, kind]) slowest[0, kind] = slowest[at, kind]
  if (slowest[at, kind] > slow_max) slow_max = slowest[at, kind]
  if (longest[at, kind] > longest[0, kind]) longest[0, kind] = longest[at, kind]
  if (longest[at, kind] > gap_max) { gap_max = longest[at, kind]; gap_where = kind " in " step[at] }
}
END {
  if (now) seconds[now] = (latest > since[now] ? latest - since[now] : 0) / 1000
  for (i = 1; i <= steps; i++) {
    list = list (i > 1 ? "," : "") sprintf("{\"step\":%s,\"seconds\":%.1f,\"kinds\":%s}", quoted(step[i]), seconds[i], kinds_of(i))
  }
  if (!asked) {
    print "{\"measured\":false,\"why\":\"no request was recorded\"}"
    exit
  }
  if (failed > max_failures + 0) {
    why = sprintf("%d of %d new connections failed (%s), and the budget is %d", failed, asked, where, max_failures)
  }
  if (gap_max > max_gap_ms + 0) {
    why = why (why == "" ? "" : "; ") sprintf("the longest gap was %.3f s (%s), and the budget is %.3f s", gap_max / 1000, gap_where, max_gap_ms / 1000)
  }
  printf "{\"measured\":true,\"strategy\":%s,\"withinBudget\":%s,\"why\":%s,%s,", \
    quoted(strategy), why == "" ? "true" : "false", quoted(why), numbers(asked, failed, gap_max, slow_max, cut)
  printf "\"kinds\":%s,\"steps\":[%s]}\n", kinds_of(0), list
}
