# shellcheck shell=bash disable=SC2034
# What start.sh and stop.sh have to agree on. Sourced, never run.

ENGINE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/cni-migration/engine
CONFIG=$ENGINE/daemon.json
PIDFILE=$ENGINE/dockerd.pid
LOG=$ENGINE/dockerd.log
# The limits as they were, "name=value" a line, for stop.sh to put back.
LIMITS=$ENGINE/limits.before
say() { printf 'engine: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

answers() { timeout 20 docker info >/dev/null 2>&1; }

# The pid of the dockerd that start.sh started, if it lives. The config file on its
# command line tells it from another process that got the number of a dead one.
own_dockerd() {
  local pid
  [[ -s $PIDFILE ]] || return 1
  pid=$(<"$PIDFILE")
  [[ -r /proc/$pid/cmdline ]] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$CONFIG" || return 1
  printf '%s\n' "$pid"
}

# until_deadline SECONDS COMMAND...: polls; fails once the time is over.
until_deadline() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}
