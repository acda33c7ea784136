# shellcheck shell=bash
# Stand-ins of kubectl, docker and kind for a cluster of any size: they answer out of $OBJECTS, a file for each question,
# and write to $LOG when they begin (+) and end (-). Each takes $LATENCY seconds.
set -euo pipefail
tool=$1
shift
echo + >>"$LOG"
trap 'echo - >>"$LOG"' EXIT
read -rt "${LATENCY:-0.01}" <> <(:) || true # the time an answer takes, with no process of its own

plain=() env=()
for word in "$@"; do
  case $word in
    --*) ;;
    [A-Z]*=*) env+=("$word") ;;
    *) plain+=("$word") ;;
  esac
done
for pair in "${env[@]}"; do export "${pair?}"; done

case "$tool ${plain[*]:0:2}" in
  kind*) echo 'a kubeconfig' ;;
  'kubectl get configmap') cat "$OBJECTS/configmap-${plain[2]}" ;;
  'kubectl get pods')
    for word in "$@"; do [[ $word == --selector=* ]] && key=${word#--selector=}; done
    cat "$OBJECTS/pods-${key:-all}"
    ;;
  'kubectl get '*) cat "$OBJECTS/${plain[1]}${plain[2]:+-${plain[2]}}" ;;
  'kubectl exec '*)
    case " $* " in
      *' cilium-dbg status '*) cat "$OBJECTS/status" ;;
      *' cilium-dbg endpoint '*) echo '[{"status": {"state": "ready"}}]' ;;
      *)
        targets=("${plain[@]:5}") # exec POD env bash ARGUMENTS…, without -s and --
        [ "${plain[4]:-}" = -s ] || targets=("${plain[@]:4}")
        if [ -n "${TARGET:-}" ]; then
          echo "eth0 $TARGET"
        elif [ -n "${FOLDER:-}" ]; then
          while read -r address; do
            for _ in 1 2 3 4 5; do
              printf '12:00:00.000001 IP (tos 0x0, ttl 62, proto ICMP (1), length 84)\n'
              printf '    %s > %s: ICMP echo request, id 1, seq 1, length 64\n' "$address" "$FOLDER"
            done
          done <"$OBJECTS/addresses"
        elif [ -n "${SERVICE:-}" ]; then
          printf 'services true\ndns true\n'
          for target in "${targets[@]}"; do [ "$target" = -s ] || echo "pod $target true"; done
        else
          for target in "${targets[@]}"; do [ "$target" = -s ] || echo "$target $COUNT $COUNT"; done
        fi
        ;;
    esac
    ;;
  'docker exec '*) case "${STEP:-}" in state) echo recording ;; lines) cat "$OBJECTS/lines" ;; steps) cat "$OBJECTS/steps" ;; esac ;;
  *) ;; # what changes something says nothing
esac
