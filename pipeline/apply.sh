#!/usr/bin/env bash
# Stage «apply»: brings a stack up, and is done when it is verified and nothing is left to change.
#
#   pipeline/apply.sh STACK [--rollback]
#
# The state is copied first, to a file with the time in its name in $PIPELINE_COPIES (.state/pipeline, which git ignores),
# with a note of who owned the cluster. A copy holds what the state holds, with its secrets encrypted. When a part fails
# it says so and exits 1; with --rollback, where the `up` or the verification fails, it brings back the stack that owned
# the cluster before.
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:?which stack? pipeline/apply.sh STACK [--rollback]}
rollback=${2:-}
[[ -z $rollback || $rollback == --rollback ]] || { printf 'apply: unknown: %s\n' "$rollback" >&2; exit 2; }
# With these, flags reach pulumi that nobody typed: --continue-on-error goes on behind a step that has failed, --target and
# --exclude leave steps of a migration out.
unset PULUMI_CONTINUE_ON_ERROR "${!PULUMI_OPTION_@}"

fail() { printf 'apply: stack %s: %s failed. The state from before is in %s\n' "$stack" "$1" "$copy" >&2; }
undo() {
  fail "$1"
  [[ -z $rollback ]] || pipeline/rollback.sh "$stack" || printf 'apply: the rollback failed as well\n' >&2
  exit 1
}

copies=${PIPELINE_COPIES:-.state/pipeline}
(umask 077 && mkdir -p "$copies")
copy=$copies/$stack-$(date -u +%Y%m%dT%H%M%SZ).json
pulumi stack select --create "$stack" >&2
(umask 077 && pulumi stack export --stack "$stack" --file "$copy")
.venv/bin/python -m pipeline.apply_before "$stack" "$copy"
printf 'apply: the state is copied to %s\n' "$copy" >&2

pulumi up --stack "$stack" --yes --skip-preview --non-interactive || undo 'pulumi up'
pipeline/verify.sh "$stack" || undo 'the verification'
# The network is as it was promised by then: another migration would cost users more than a plan that is not empty.
if ! pulumi preview --stack "$stack" --expect-no-changes --non-interactive; then
  fail 'preview --expect-no-changes'
  exit 1
fi
