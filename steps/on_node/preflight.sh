# shellcheck shell=bash
# Runs inside a node: prints a line for everything that $CNI would miss there. Arguments: the images it needs.
# Leaves nothing but the images that it pulled. API is HOST PORT where agents are to find the API, empty for none.
set -euo pipefail
: "${CNI:?}" "${NEEDS_ONE_L2:?}" "${PEERS:?}" "${MOVES:?}" "${API?}"
NET_D=${NET_D:-/etc/cni/net.d}

missing() { printf '%s\n' "$*"; }

for image in "$@"; do
  # By its name: containerd ignores the filter of `crictl images`, and lists all where the one asked for is missing.
  # crictl gives up after 2 s by default, and the runtime takes longer on a busy machine.
  if ! said=$(crictl --timeout 60s inspecti --quiet "$image" 2>&1 >/dev/null); then
    if [[ $said != *'no such image'* ]]; then
      missing "the runtime does not say whether the image $image is there (${said##*$'\n'})"
      continue
    fi
    printf 'pulling %s\n' "$image" >&2
    crictl pull "$image" >/dev/null || missing "the image $image is not there and cannot be pulled"
  fi
done

# A device is the test: what the kernel lacks, or a device that holds the VXLAN port, shows only when one is made.
try_link() {
  ip link delete dev preflight0 2>/dev/null || [ $? -eq 1 ]
  if ip link add preflight0 type "$@"; then ip link delete dev preflight0; else missing "the kernel makes no $1 device"; fi
}

try_mount() {
  local folder
  folder=$(mktemp -d)
  if mount -t "$1" "$1" "$folder"; then umount "$folder"; else missing "the kernel mounts no $1"; fi
  rmdir "$folder"
}

case $CNI in
  flannel)
    try_link bridge
    try_link vxlan id 4095 dstport 0
    ;;
  cilium)
    # The oldest kernel that Cilium 1.19 supports, from its system requirements.
    if ! printf '5.10\n%s\n' "$(uname -r)" | sort --version-sort --check=quiet; then
      missing "the kernel $(uname -r) is older than 5.10"
    fi
    try_mount bpf
    try_mount cgroup2
    ;;
esac
if [ "$NEEDS_ONE_L2" = true ]; then
  for peer in $PEERS; do
    way=$(ip -4 route get "$peer")
    if [[ $way == *' via '* ]]; then
      missing "$peer is behind a router; routes to podCIDRs need all nodes on one L2 (one Docker network)"
    fi
  done
fi

# The runtime takes the first configuration by name, so somebody else's may win over the new CNI's, or be taken away by it.
if [ "$MOVES" = true ]; then
  for file in "$NET_D"/*.conf "$NET_D"/*.conflist "$NET_D"/*.json; do
    case ${file##*/} in
      \** | 10-flannel.conflist | 05-cilium.conflist | 99-cni-migration.conflist | *loopback*) ;;
      *) missing "$file is the configuration of another CNI; remove that CNI, or the file where it has gone" ;;
    esac
  done
fi

# Asked as this node, so that it is the API of this cluster: another cluster's answers at its own address too.
if [ -n "$API" ]; then
  read -r host port <<<"$API"
  tries=0
  until answer=$(kubectl --kubeconfig=/etc/kubernetes/kubelet.conf --server="https://$host:$port" --request-timeout=10s \
    get --raw /version 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 3 ]; then
      missing "k8sServiceHost $host, k8sServicePort $port is not this cluster's API (${answer##*$'\n'}); leave both out of cilium.values"
      break
    fi
  done
fi

# An agent, a relay and the kubelet share the host's limit with everything else there (cilium#35542).
instances=$(cat /proc/sys/fs/inotify/max_user_instances)
if [ "$instances" -lt 256 ]; then
  missing "fs.inotify.max_user_instances is $instances; raise it on the host: sysctl -w fs.inotify.max_user_instances=512"
fi
