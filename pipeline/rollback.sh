#!/usr/bin/env bash
# Brings back the stack that owned the cluster before the last `up`, or before the one of STACK, whether that has ended or
# was cut off in the middle; then says in what state it ended. Exits 0 where the owner from before has the cluster,
# verified.
#
#   pipeline/rollback.sh [STACK]
#
# Who that was is in the note that pipeline/apply.sh wrote before it, and in the cluster's marker; where neither says so,
# nothing is done.
set -euo pipefail
cd "$(dirname "$0")/.."
# As in pipeline/apply.sh: no flag that nobody typed.
unset PULUMI_CONTINUE_ON_ERROR "${!PULUMI_OPTION_@}"

copies=${PIPELINE_COPIES:-.state/pipeline}
(umask 077 && mkdir -p "$copies")
found=$(.venv/bin/python -m pipeline.rollback "$copies" "$@")
[[ -n $found ]] || exit 0
read -r stack cni asked cluster <<<"$found"

pulumi stack select --create "$stack" >&2
copy=$copies/$stack-$(date -u +%Y%m%dT%H%M%SZ).json
(umask 077 && pulumi stack export --stack "$stack" --file "$copy")
if [[ $asked != "$cni" ]]; then
  printf 'rollback: Pulumi.%s.yaml asks for %s and gets %s; commit that, or the next apply goes there again\n' \
    "$stack" "$asked" "$cni" >&2
  pulumi config set --stack "$stack" cni-migration:cni "$cni"
fi
ended=0
pulumi up --stack "$stack" --yes --skip-preview --non-interactive || ended=$?
# Whatever became of it, the user reads where the cluster stands.
.venv/bin/python -m pipeline.rollback_ended "$stack" "$cni" "$cluster" || ended=1
[[ $ended == 0 ]] || exit 1
pipeline/verify.sh "$stack"
