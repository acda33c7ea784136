# Reads tcpdump -v text and prints, for the pings that came from the address `source`: the pair, the packets, the IP
# total length on the wire, and the encapsulation. A line with a time begins a packet, and its length is what was on
# the wire; a header without one is what a tunnel carried.
/^[0-9:.]+ IP / {
  match($0, /length [0-9]+\)/)
  length_on_wire = substr($0, RSTART + 7, RLENGTH - 8)
  tunnel = "none"
}
/\.8472: / || /\.4789: / { tunnel = "vxlan" }
/\.6081: / { tunnel = "geneve" }
/ICMP echo request/ {
  for (i = 1; i < NF; i++) if ($i == ">" && $(i - 1) == source) { packets++; lengths[length_on_wire]; tunnels[tunnel] }
}
END {
  for (l in lengths) all_lengths = all_lengths (all_lengths == "" ? "" : ",") l
  for (t in tunnels) all_tunnels = all_tunnels (all_tunnels == "" ? "" : ",") t
  print "pair", from, to, packets + 0, all_lengths == "" ? "-" : all_lengths, all_tunnels == "" ? "-" : all_tunnels
}
