# shellcheck shell=bash
# Runs inside a node: $STEP `note` keeps the lines of stdin, what each Pod did not answer before the node's CNI changed.
# `list` prints them, nothing where nobody has noted any; `unproved` does so where no proof has come since, which `proved`
# says.
set -euo pipefail
: "${STEP:?}"
noted=/var/lib/cni-migration/quiet
proved=$noted.proved
case $STEP in
  note)
    mkdir -p "${noted%/*}"
    cat >"$noted.new"
    mv "$noted.new" "$noted"
    rm -f "$proved" ;;
  list) if [ -e "$noted" ]; then cat "$noted"; fi ;;
  unproved) if [ -e "$noted" ] && [ ! -e "$proved" ]; then cat "$noted"; fi ;;
  # It stays: a move that is cut off behind its proof is proved once more.
  proved) if [ -e "$noted" ]; then touch "$proved"; fi ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
