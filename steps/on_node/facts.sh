# shellcheck shell=bash
# Runs inside a node and changes nothing: prints what the node has of a CNI's own, a fact a line. The arguments are
# ADDRESS:PORT of Pods that are to be reached from here.
#   conflist NAME BASE64             what the runtime may take for its CNI configuration
#   sysctl KEY VALUE
#   route ROUTE                      of the main table
#   agent POD-UID KEY SHA256         what Cilium's agent there read when it started
#   reach ADDRESS:PORT true|false
set -euo pipefail
: "${SECONDS_MAX:?}"
NET_D=${NET_D:-/etc/cni/net.d}
PODS=${PODS:-/var/lib/kubelet/pods}

for file in "$NET_D"/*.conf "$NET_D"/*.conflist "$NET_D"/*.json; do
  if [ -e "$file" ]; then printf 'conflist %s %s\n' "${file##*/}" "$(base64 --wrap=0 "$file")"; fi
done

for key in net.ipv4.ip_forward net.ipv4.conf.all.rp_filter; do
  value=$(sysctl --values "$key")
  printf 'sysctl %s %s\n' "$key" "$value"
done

routes=$(ip -4 route show table main)
while read -r route; do
  if [ -n "$route" ]; then printf 'route %s\n' "$route"; fi
done <<<"$routes"

# The agent's own folder of the configuration that it was started with, a file a key.
for folder in "$PODS"/*/volumes/kubernetes.io~empty-dir/tmp/cilium/config-map; do
  [ -d "$folder" ] || continue
  pod=${folder#"$PODS"/}
  (cd "$folder" && sha256sum -- *) | while read -r digest key; do printf 'agent %s %s %s\n' "${pod%%/*}" "$key" "$digest"; done
done

# A probe answers with its name.
reach() { # ADDRESS:PORT
  local answer deadline=$((SECONDS + SECONDS_MAX))
  until answer=$(timeout 2 bash -c "exec 3<>/dev/tcp/${1/:/\/}; cat <&3" 2>/dev/null) && [ -n "$answer" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'reach %s false\n' "$1"
      return
    fi
    sleep 0.2 # between two tries, not in place of a condition
  done
  printf 'reach %s true\n' "$1"
}

jobs=()
for pod in "$@"; do
  reach "$pod" &
  jobs+=("$!")
done
for job in "${jobs[@]}"; do wait "$job"; done
