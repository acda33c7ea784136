#!/usr/bin/env bash
# The main job: Flannel up, the preview of the move, Cilium up on the same cluster, and what was measured before and
# after. Can be run again from wherever it was cut off. $STRATEGY, where it is set, is the migration's; a stack's own setting
# goes before it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*" >&2; }

# For `make report`, which comes when the network of before is gone. Without it the page has one packet less.
capture() { .venv/bin/python -m report.collect "$1" .state/report >&2 || say "no packet of stack $1 for the report"; }

if [ -n "${STRATEGY:-}" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  CNI_MIGRATION_SITE=$(.venv/bin/python -m bench.site "$folder" "$STRATEGY")
  export CNI_MIGRATION_SITE
  say "by $STRATEGY, where a stack does not name another strategy itself"
fi

say "stack flannel: a Kind cluster with Flannel VXLAN"
pulumi stack select --create flannel >&2
pulumi up --stack flannel --yes --skip-preview >&2
before=$(pulumi stack output --stack flannel --json verification)
capture flannel

say "stack cilium: what the migration will do"
pulumi stack select --create cilium >&2
pulumi preview --stack cilium >&2

say "stack cilium: the migration"
pulumi up --stack cilium --yes --skip-preview >&2
after=$(pulumi stack output --stack cilium --json verification)
capture cilium

say "measured"
.venv/bin/python -m report.verdict "$before" "$after"

say "who talks to whom (make flows, or a browser)"
pulumi stack output --stack cilium --json hubble
