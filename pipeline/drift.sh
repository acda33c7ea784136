#!/usr/bin/env bash
# Looks for drift of a stack and changes nothing: what the engine finds (a refresh that is previewed and no more) beside
# what observers on the nodes and at the API find. Ends with 0: as promised, 2: drift, 1: something could not be asked.
set -euo pipefail

if [ $# -lt 1 ] || { [ $# -ne 1 ] && { [ $# -ne 3 ] || [ "$2" != --json ]; }; }; then
  printf 'usage: pipeline/drift.sh STACK [--json FILE]\n' >&2
  exit 1
fi
stack=$1
json=${3:+$(realpath -m -- "$3")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${PULUMI_CONFIG_PASSPHRASE_FILE:-}" ]; then export PULUMI_CONFIG_PASSPHRASE=${PULUMI_CONFIG_PASSPHRASE:-}; fi
# The state holds the admin's kubeconfig: this folder is the user's alone, and goes.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Seconds for the engine, and for the observers beside it, to end by themselves; the whole has 60, and each export 10.
patience=35
limit() { timeout --kill-after=5 "$@"; }

# keep NAME COMMAND...: what it prints in NAME.json, what it says in NAME.said, how it ends in NAME.exit.
keep() {
  local name=$1 code=0
  shift
  "$@" >"$work/$name.json" 2>"$work/$name.said" || code=$?
  printf '%s\n' "$code" >"$work/$name.exit"
}

state() { limit 10 pulumi stack export --stack "$stack" --non-interactive; }
# The engine locks the stack for as long as it looks: told to end by SIGINT it takes its lock away.
engine() { timeout --signal=INT --kill-after=10 "$patience" pulumi refresh --preview-only --json --stack "$stack" --non-interactive; }
observers() {
  # By a pipe, since some of it may be a secret; the observers show none.
  limit 15 pulumi config --json --show-secrets --stack "$stack" --non-interactive |
    STACK=$stack STATE=$work/before.json limit "$patience" .venv/bin/python -m pipeline.drift_look
}

keep before state
keep refresh engine &
engine_job=$!
keep looked observers
wait "$engine_job"
keep after state
STACK=$stack FOLDER=$work JSON=$json .venv/bin/python -m pipeline.drift
