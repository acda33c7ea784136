#!/usr/bin/env bash
# $OUT/bin/pause
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../images/pause"
CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOWORK=off \
  go build -trimpath -ldflags "-s -w" -o "$OUT/bin/pause" .
