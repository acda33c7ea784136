#!/usr/bin/env bash
# Ends the Docker engine that start.sh started: its containers, dockerd, what they left
# running after a crash, its mounts, the raised limits. Data and images stay. Another
# engine is not touched. Safe to run again.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

[[ -f $CONFIG ]] || { say "none of the kit's own to stop"; exit 0; }
((EUID == 0)) || fail "only root can stop the engine that root started"

# Not computed: this ends the engine that is there, also one that another version of start.sh has started.
EXEC_ROOT=$(sed -n 's/.*"exec-root": "\(.*\)".*/\1/p' "$CONFIG")
[[ $EXEC_ROOT == /run/cni-migration-engine* ]] || fail "$CONFIG is not what start.sh writes; end that engine by hand"

# Processes that name this engine's folders: its containerd and the shims of its containers.
leftovers() {
  local folder pid
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    [[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
    # A process may end while it is being looked at.
    if tr '\0' '\n' <"$folder/cmdline" 2>/dev/null | grep -qE "^(--?[a-z-]+=)?($EXEC_ROOT|$CONFIG)(/|$)"; then
      printf '%s\n' "$pid"
    fi
  done
}

none_left() { [[ -z $(leftovers) ]]; }

signal_leftovers() {
  local pid
  for pid in $(leftovers); do
    # It may be gone by now, and then there is nothing to signal.
    kill -s "$1" "$pid" 2>/dev/null || [[ ! -e /proc/$pid ]]
  done
}

dockerd_gone() { ! own_dockerd >/dev/null; }

own_docker() { docker --host unix:///var/run/docker.sock "$@"; }

stop_containers() {
  local -a running
  mapfile -t running < <(own_docker ps --quiet)
  ((${#running[@]})) || return 0
  say "stopping ${#running[@]} containers"
  own_docker stop --time 5 "${running[@]}" >/dev/null
}

# Containers that outlived their dockerd. The shim is the parent of a container's first
# process, and the end of that one is the end of all in its pid namespace; a shim that is
# killed first would leave them running.
kill_orphans() {
  local shim child
  for shim in $(leftovers); do
    [[ $(readlink "/proc/$shim/exe") == */containerd-shim* ]] || continue
    # Any of the shim's threads may be the one that started it. One that ends meanwhile has none.
    { cat "/proc/$shim/task/"*/children 2>/dev/null || true; } | tr ' ' '\n' | while IFS= read -r child; do
      [[ -z $child ]] || kill -KILL "$child" 2>/dev/null || [[ ! -e /proc/$child ]]
    done
  done
}

unmount() {
  local target
  awk -v a="$ENGINE/data/" -v b="$EXEC_ROOT/" \
    'index($5 "/", a) == 1 || index($5 "/", b) == 1 {print $5}' /proc/self/mountinfo |
    sort -r | while IFS= read -r target; do umount --lazy "$target"; done
}

restore_limits() {
  local line
  [[ -f $LIMITS ]] || return 0
  # The first line of a limit is the value from before anything was raised.
  tac "$LIMITS" | while IFS= read -r line; do
    printf '%s\n' "${line#*=}" >"/proc/sys/fs/inotify/${line%=*}"
  done
  rm -f "$LIMITS"
}

if pid=$(own_dockerd); then
  if until_deadline 20 answers; then stop_containers; fi
  say "stopping dockerd ($pid)"
  kill -TERM "$pid"
  until_deadline 30 dockerd_gone || say "dockerd did not end on SIGTERM within 30 s"
fi
if ! none_left; then
  kill_orphans
  signal_leftovers TERM
  until_deadline 10 none_left || signal_leftovers KILL
  until_deadline 10 none_left || fail "these processes do not end: $(leftovers | tr '\n' ' ')"
fi
unmount
restore_limits
rm -rf "$EXEC_ROOT"
rm -f "$PIDFILE" "$CONFIG"
say "stopped"
