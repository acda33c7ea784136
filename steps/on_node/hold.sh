# shellcheck shell=bash
# Runs inside a node: $STEP `on` puts a CNI plugin in the old one's place that lets Pods go and admits none, so that the
# node stays Ready and nothing waits for an agent that has gone; `off` takes it away. Any real conflist sorts before it.
# $STEP `leave` comes before the old agent goes, which would not let its conflist be taken away: it puts that plugin in
# cilium-cni's own place. The kubelet lets go again of Pods that are long gone, at any time; cilium-cni would then wait for
# its agent for 40 s, and with the runtime's CNI lock, so that everybody waits. $STEP `said` prints a line where it is on.
set -euo pipefail
: "${STEP:?}"
conflist=/etc/cni/net.d/99-cni-migration.conflist
plugin=/opt/cni/bin/cni-migration-hold
cilium=/opt/cni/bin/cilium-cni
# Cilium's own, while the holding one is in its place.
kept=$plugin.cilium-cni

is_ours() { [ -e "$1" ] && head -c 400 "$1" | grep --quiet --text 'this node is moving to another CNI'; }

install_plugin() { # PATH
  cat >"$plugin.new" <<'END'
#!/bin/sh
case $CNI_COMMAND in
  ADD) echo '{"cniVersion":"0.4.0","code":11,"msg":"this node is moving to another CNI; try again"}'; exit 1 ;;
  # Otherwise its veth stays until the last of its connections has given up, and with it the way to its address.
  DEL)
    if [ -e "$CNI_NETNS" ]; then
      nsenter --net="$CNI_NETNS" ip link delete dev "$CNI_IFNAME" 2>/dev/null ||
        ! nsenter --net="$CNI_NETNS" ip link show dev "$CNI_IFNAME" >/dev/null 2>&1
    fi ;;
  VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}' ;;
esac
END
  chmod 755 "$plugin.new"
  mv "$plugin.new" "$1"
}

case $STEP in
  leave)
    if [ -e "$cilium" ] && ! is_ours "$cilium"; then
      cp --preserve "$cilium" "$kept.new"
      mv "$kept.new" "$kept"
      install_plugin "$cilium"
    fi ;;
  on)
    install_plugin "$plugin"
    printf '{"cniVersion":"0.4.0","name":"cni-migration","plugins":[{"type":"cni-migration-hold"}]}\n' >"$conflist.new"
    mv "$conflist.new" "$conflist"
    rm -f /etc/cni/net.d/10-flannel.conflist* /etc/cni/net.d/05-cilium.conflist* ;;
  said) if [ -e "$conflist" ]; then printf 'on\n'; fi ;;
  off)
    # A move that was taken back before its agent had gone: nobody else would put it there until the agent's next start.
    if [ -e "$kept" ] && is_ours "$cilium"; then mv "$kept" "$cilium"; fi
    rm -f "$conflist"* "$plugin"* ;;
  *) printf 'unknown step: %s\n' "$STEP" >&2; exit 1 ;;
esac
