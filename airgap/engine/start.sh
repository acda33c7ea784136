#!/usr/bin/env bash
# Starts a Docker engine of the kit's own where none answers; does nothing where one does.
# It outlives the shell and the make that started it; stop.sh ends it.
# DEP_RUNC_SHIM: the output of the target runc-shim; needed only where CAP_SYS_RESOURCE is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

# Three nodes with kubelet, containerd, Cilium and their Pods use far more than the kernel's 128 instances.
INSTANCES=1024
WATCHES=524288

# A Unix socket's path holds 107 bytes: the sockets of a deep cache folder would not fit, so they are in /run, under a
# name that no engine of another cache folder has.
EXEC_ROOT=/run/cni-migration-engine-$(cksum <<<"$ENGINE" | cut -d' ' -f1)

lacks_sys_resource() {
  local set
  set=$(awk '$1 == "CapBnd:" {print $2}' /proc/self/status)
  (((16#$set >> 24 & 1) == 0))
}

check_limits() {
  local name wanted now
  for name in max_user_instances=$INSTANCES max_user_watches=$WATCHES; do
    wanted=${name#*=} name=${name%=*}
    now=$(<"/proc/sys/fs/inotify/$name")
    ((now < wanted)) || continue
    if [[ $1 == raise ]]; then
      printf '%s=%s\n' "$name" "$now" >>"$LIMITS"
      printf '%s\n' "$wanted" >"/proc/sys/fs/inotify/$name"
      say "fs.inotify.$name raised from $now to $wanted (stop.sh puts it back)"
    else
      say "fs.inotify.$name is $now; Pods may fail with «too many open files»: sysctl fs.inotify.$name=$wanted"
    fi
  done
}

install_engine() {
  if ! command -v dockerd >/dev/null; then
    "$here/packages.sh" docker.io
  fi
  command -v docker >/dev/null || "$here/packages.sh" docker.io
}

write_config() {
  local runtime=""
  if lacks_sys_resource; then
    [[ -x ${DEP_RUNC_SHIM:-}/bin/runc-shim ]] ||
      fail "runc refuses privileged containers without CAP_SYS_RESOURCE: DEP_RUNC_SHIM must name the output of runc-shim"
    say "CAP_SYS_RESOURCE is missing from the bounding set: runc-shim is the default runtime"
    install -D -m 755 "$DEP_RUNC_SHIM/bin/runc-shim" "$ENGINE/bin/runc-shim"
    runtime=",
  \"runtimes\": {\"runc-shim\": {\"path\": \"$ENGINE/bin/runc-shim\"}},
  \"default-runtime\": \"runc-shim\""
  fi
  cat >"$CONFIG" <<JSON
{
  "data-root": "$ENGINE/data",
  "exec-root": "$EXEC_ROOT",
  "pidfile": "$PIDFILE",
  "hosts": ["unix:///var/run/docker.sock"]$runtime
}
JSON
}

# A session of its own, and none of the caller's open files: a pipe that dockerd held
# open would keep the reader of make's output waiting for ever.
launch() (
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    ((fd <= 2)) || eval "exec $fd>&-"
  done
  exec setsid --fork dockerd --config-file "$CONFIG" </dev/null >"$LOG" 2>&1
)

started_or_dead() { answers || ! own_dockerd >/dev/null; }

if answers; then
  check_limits report
  exit 0
fi
[[ -z ${DOCKER_HOST:-} ]] || fail "DOCKER_HOST=$DOCKER_HOST does not answer; unset it to use an engine of the kit's own"
((EUID == 0)) || fail "no Docker engine answers, and only root can start one"

install_engine
# The package starts the engine itself where systemd runs.
if answers || { [[ -d /run/systemd/system ]] && until_deadline 20 answers; }; then
  check_limits report
  exit 0
fi

mkdir -p "$ENGINE"
if ! own_dockerd >/dev/null; then
  rm -f "$PIDFILE"
  : >"$LOG"
  check_limits raise
  write_config
  say "starting dockerd (log: $LOG)"
  launch
  until_deadline 10 test -s "$PIDFILE" || { tail -n 25 "$LOG" >&2; fail "dockerd did not start within 10 s"; }
fi
if ! until_deadline 90 started_or_dead || ! answers; then
  tail -n 25 "$LOG" >&2
  fail "dockerd does not answer; the end of its log is above"
fi
say "running, data in $ENGINE/data"
