#!/usr/bin/env bash
# Stands in for a script that needs a real cluster: records its name and who called it, fails once where that is asked.
set -euo pipefail
step=$(basename "$0" .sh)
# A node's move and its clean-up are told apart by the node, everything else by the CNI.
printf '%s %s\n' "$step" "${NODE:-${CNI:-}}" >>"$FAKE/calls"
for fault in "$step" "$step ${NODE:-}"; do
  [ -e "$FAKE/fail/$fault" ] || continue
  rm "$FAKE/fail/$fault"
  echo "fault planted in $step" >&2
  exit 1
done
case $step in
  node-clean) echo 2026-01-01T00:00:00Z ;;
  traffic-report) echo '{"measured": true}' ;;
  verify) printf '{"ok": true, "cni": "%s"}\n' "$CNI" ;;
esac
