# shellcheck shell=bash
# Before a script inside a node that takes addresses of its Pods' network, or lets them go, in place of host-local's plugin:
# a file for each address, with who has it on its first line.
networks=/var/lib/cni/networks/cbr0

# By its name at once: the plugin must never find half of it.
take_address() { # ADDRESS OWNER DEVICE
  printf '%s\r\n%s' "$2" "$3" >"$networks/$1.new"
  mv "$networks/$1.new" "$networks/$1"
}

owner_of() { head -1 "$networks/$1" | tr -d '\r'; } # ADDRESS
