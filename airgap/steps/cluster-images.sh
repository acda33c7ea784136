#!/usr/bin/env bash
# $OUT: one OCI layout with every image that the cluster runs. No engine needed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python3 "$here/../images" cluster
rm -rf "$OUT/work"
