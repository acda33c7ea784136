#!/usr/bin/env bash
# What `pulumi up` of a stack would do, as one Markdown summary for a pull request. Changes nothing.
#
#   pipeline/preview.sh STACK [--out FOLDER]
#
# Writes FOLDER/STACK.md (at most 60,000 bytes) and FOLDER/STACK.full.md, the whole of it. FOLDER is .state/preview where
# none is given. Exits as the preview does; where the cluster does not answer, with an error within 15 s.
set -euo pipefail

usage() {
  printf 'usage: %s STACK [--out FOLDER]\n' "$0" >&2
  exit 2
}

stack='' out=''
while [ $# -gt 0 ]; do
  case $1 in
    --out)
      [ $# -ge 2 ] || usage
      out=$(realpath --canonicalize-missing -- "$2")
      shift 2
      ;;
    -* | '') usage ;;
    *)
      [ -z "$stack" ] || usage
      stack=$1
      shift
      ;;
  esac
done
[ -n "$stack" ] || usage
cd "$(dirname "$0")/.."
out=${out:-$PWD/.state/preview}

# It holds the engine's events, with every input: it goes when the script does.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Without a network the look for a newer pulumi alone takes longer than the cluster has to answer.
export PULUMI_SKIP_UPDATE_CHECK=true

# A stack that nobody has brought up yet has no state; with it, a preview lists all that would be made.
pulumi_says() { timeout --foreground "$1" pulumi "${@:2}"; }
said() { tee -a "$work/said" >&2; }
code=0
{
  pulumi_says 30 stack select --create "$stack" &&
    pulumi_says 30 config --json --stack "$stack" >"$work/config.json" &&
    .venv/bin/python -m pipeline.preview look --work "$work" &&
    PULUMI_DEBUG_COMMANDS=1 timeout --foreground --signal=INT --kill-after=20 600 \
      pulumi preview --stack "$stack" --non-interactive --event-log "$work/events.jsonl"
} 2>&1 | said || code=$?

.venv/bin/python -m pipeline.preview write "$stack" --work "$work" --out "$out"
exit "$code"
