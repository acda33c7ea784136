# Reads what was measured (pair …, services …, dns …, why …, routing …, kubeProxyReplacement …) and prints the verdict
# as JSON; exits 1 with one sentence on stderr where it is not what `cni` promises. Bytes are IP total lengths.
BEGIN {
  bare = 84 # a ping of 56 bytes: 20 of IP, 8 of ICMP
  expected["encapsulation"] = cni == "cilium" ? "none" : "vxlan"
  expected["icmpWireBytes"] = cni == "cilium" ? bare : bare + 50 # VXLAN: outer IP 20, UDP 8, VXLAN 8, inner Ethernet 14
  expected["routing"] = cni == "cilium" ? "native" : "vxlan"
  expected["kubeProxyReplacement"] = cni == "cilium" ? "true" : "false"
  if (cni == "cilium") expected["masquerading"] = "bpf"
  expected["services"] = expected["dns"] = "true"
}
function note(key, value) { # remembers every different value of a key
  if (found[key] == "") found[key] = value
  else if (index("," found[key] ",", "," value ",") == 0) found[key] = found[key] "," value
}
$1 == "pair" {
  pairs = pairs (pairs == "" ? "" : ",") sprintf("{\"from\":\"%s\",\"to\":\"%s\",\"packets\":%d,\"icmpWireBytes\":%s,\"encapsulation\":\"%s\"}", \
    $2, $3, $4, $5 ~ /^[0-9]+$/ ? $5 : "\"" $5 "\"", $6)
  note("icmpWireBytes", $5)
  note("encapsulation", $6)
  if ($4 < packets) why = why sprintf("; %s to %s: %d of %d pings arrived", $2, $3, $4, packets)
  next
}
$1 == "why" { sub(/^why /, ""); why = why "; " $0; next }
NF == 2 { note($1, $2) }
function add(text) { wrong = wrong (wrong == "" ? "" : ", ") text }
END {
  for (key in expected) if (found[key] != expected[key]) {
    add(key " " expected[key] " expected, " (found[key] == "" ? "nothing" : found[key]) " found")
  }
  if (wrong != "" || why != "") {
    printf "the network is not what cni=%s promises: %s%s\n", cni, wrong == "" ? "packets were lost" : wrong, why > "/dev/stderr"
    exit 1
  }
  printf "{\"ok\":true,\"cni\":\"%s\",\"encapsulation\":\"%s\",\"icmpWireBytes\":%d,\"overheadBytes\":%d,\"routing\":\"%s\",", \
    cni, found["encapsulation"], found["icmpWireBytes"], found["icmpWireBytes"] - bare, found["routing"]
  printf "\"masquerading\":\"%s\",\"kubeProxyReplacement\":%s,\"services\":%s,\"dns\":%s,\"pairs\":[%s]}\n", \
    found["masquerading"], found["kubeProxyReplacement"], found["services"], found["dns"], pairs
}
