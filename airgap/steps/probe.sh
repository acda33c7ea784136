#!/usr/bin/env bash
# $OUT: an OCI layout with the probe image, which then is in the engine too: tests run it beside the nodes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python3 "$here/../images" only "$DEP_CLUSTER_IMAGES" "$PIN_IMAGES_PROBE"
"$here/load.sh"
