#!/usr/bin/env bash
# $OUT/bin/hubble-page
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../hubble-page"
CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOWORK=off \
  go build -trimpath -ldflags "-s -w" -o "$OUT/bin/hubble-page" .
