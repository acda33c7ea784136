#!/usr/bin/env bash
# Hands the images of the layout $OUT to the engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python3 "$here/../images" load "$OUT"
