#!/usr/bin/env bash
# Stage «check»: what needs no cluster, no state and no passphrase. The settings of all stacks, and the locks in date.
#
#   pipeline/check.sh
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/python -m pipeline.check
# A lock that is out of date would be renewed on the way, and what runs would be what nobody has reviewed.
git ls-files -z 'uv.lock' '*/uv.lock' | while IFS= read -r -d '' lock; do
  printf 'check: %s\n' "$lock" >&2
  uv lock --check --quiet --project "$(dirname "$lock")"
done
