#!/usr/bin/env bash
# Stands in for a script that needs a real cluster: records its name and who called it, fails once where that is asked.
set -euo pipefail
step=$(basename "$0" .sh)
printf '%s %s\n' "$step" "${CNI:-${NODE:-}}" >>"$FAKE/calls"
if [ -e "$FAKE/fail/$step" ]; then
  rm "$FAKE/fail/$step"
  echo "fault planted in $step" >&2
  exit 1
fi
case $step in
  node-clean) echo 2026-01-01T00:00:00Z ;;
  verify) printf '{"ok": true, "cni": "%s"}\n' "$CNI" ;;
esac
