# shellcheck shell=bash
# Before a script inside a node whose awk tells the addresses of a subnet from others: awk's functions for that, of IPv4.
# shellcheck disable=SC2034 # the script behind it uses it
in_subnet='
  function number(text, part) { split(text, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
  function within(text, network, part) {
    split(network, part, "/")
    return int(number(text) / 2 ^ (32 - part[2])) == int(number(part[1]) / 2 ^ (32 - part[2]))
  }
'
