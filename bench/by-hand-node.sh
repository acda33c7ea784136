# shellcheck shell=bash
# Runs inside a node: what the guides say to remove of Flannel and of kube-proxy, typed once.
set -euo pipefail
for link in flannel.1 cni0; do
  if [ -e "/sys/class/net/$link" ]; then ip link delete dev "$link"; fi
done
for veth in /sys/class/net/veth*; do
  if [ -e "$veth" ]; then ip link delete dev "${veth##*/}"; fi
done
rm -rf /etc/cni/net.d/10-flannel.conflist /opt/cni/bin/flannel /run/flannel /var/lib/cni/flannel /var/lib/cni/networks \
  /var/lib/cni/results
# Not a flush: the engine's own rules, which answer the node's DNS, are in the same table.
for tool in iptables ip6tables; do
  "$tool-save" | grep -vE 'KUBE-|FLANNEL-|CNI-' | "$tool-restore"
done
