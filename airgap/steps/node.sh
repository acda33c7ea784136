#!/usr/bin/env bash
# $OUT: an OCI layout with the node image, which then is in the engine too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/node-store.sh" "$DEP_CLUSTER_IMAGES" "$OUT/work"
python3 "$here/../images" node "$OUT/work/store.tar"
rm -rf "$OUT/work"
"$here/load.sh"
