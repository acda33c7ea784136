#!/usr/bin/env bash
# Removes what a CNI left on the node $NODE, by residue.py's table on stdin; prints the time when it was done.
set -euo pipefail
: "${NODE:?}"
docker exec --interactive "$NODE" bash -c "$(cat "$(dirname "$0")/on-node/clean.sh")" clean
