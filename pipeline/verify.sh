#!/usr/bin/env bash
# Stage «verify»: says what was measured when the stack came up last. Exits 1 unless it is good, whole, and of the cluster
# as it is owned now.
#
#   pipeline/verify.sh STACK
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:?which stack? pipeline/verify.sh STACK}

pulumi stack output --stack "$stack" --json | .venv/bin/python -m pipeline.verify "$stack"
