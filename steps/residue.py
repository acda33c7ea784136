"""What each CNI leaves on a node after its objects are gone, as a table. Pure: no Pulumi, no I/O.

Everything is removed by name; no table is flushed, since the node's nat table also holds Docker's own DNS chains. Each
kind is a verb of on_node/clean.sh, which lists what matches, removes it, and fails if anything is still there.
What stays on purpose: the reference plugins in /opt/cni/bin (bridge, portmap …), which belong to no CNI, and somebody
else's configuration that Cilium has renamed: with its old name it could become the node's CNI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "process", "link", "tc", "mount", "path", "chains", "nft-table", "rule", "table", "routes", "address", "sysctls"
]
Owner = Literal["flannel", "kube-proxy", "cilium", "runtime", "rolling"]
OWNERS: tuple[Owner, ...] = get_args(Owner)
# The routing table and the rule by which a rolling move reaches every podCIDR without a tunnel
# (on_node/direct_routes.sh).
DIRECT_TABLE = 244
# The mark of connections that such a move, or its rules, have made SNATs of (on_node/unmasq.sh): they are not done
# again, and of UDP not forgotten.
SNATED_MARK = "0x2440000"


@dataclass(frozen=True, kw_only=True)
class Residue:
    """One row. `what` is a shell pattern for link and path, a prefix for chains and tc (program names), a table number
    for rule and table, a subnet for routes, of which only those by way of another node are a CNI's, a label on lo for
    address. `why` names what goes wrong if it stays, with the report it comes from. The owner `runtime` is the
    container runtime, which keeps results of CNI calls; `rolling` is this project's own move of a node: where
    it was cut off, or what it has left for connections that are open."""

    owner: Owner
    kind: Kind
    what: str
    why: str


# The kubelet's own chains begin with KUBE- too; clean.sh knows them and leaves them.
_FLANNEL: tuple[tuple[Kind, str, str], ...] = (
    ("path", "/etc/cni/net.d/10-flannel.conflist", "the runtime calls Flannel's plugin again (flannel#2063)"),
    ("path", "/opt/cni/bin/flannel", "an old plugin answers for a new configuration"),
    ("process", "flannel", "a CNI DEL that is under way writes state after it was removed"),
    ("link", "veth*", "a dead Pod's interface keeps the bridge and its address alive"),
    ("link", "cni0", "'cni0 already has an IP address different from …' (coredns/deployment#87)"),
    ("link", "flannel.1", "the VXLAN device keeps UDP 8472 and routes to every podCIDR (cilium#3219)"),
    ("link", "flannel-v6.1", "the same for IPv6"),
    ("path", "/etc/cni/net.d/10-flannel.conf.cilium_bak", "its clean-up gives it its name back (multus-cni#972)"),
    ("path", "/etc/cni/net.d/10-flannel.conflist.cilium_bak", "the same, for the newer form"),
    ("path", "/run/flannel", "two nodes with one subnet, from a stale subnet.env (flannel#1182)"),
    ("path", "/var/lib/cni/flannel", "the plugin's saved delegates name a bridge that is gone"),
    ("path", "/var/lib/cni/networks", "'no IP addresses available' (kubernetes#39557)"),
    ("chains", "FLANNEL-", "FLANNEL-POSTRTG still SNATs between nodes (calico#12920)"),
    ("chains", "CNI-", "portmap's and bridge's NAT to Pods that are gone"),
    ("nft-table", "ip flannel-ipv4", "Flannel's masquerading in nftables mode"),
    ("nft-table", "ip6 flannel-ipv6", "the same for IPv6"),
)
# What belongs to Pods that run on when their node has changed hands under them: the ends of the bridge's veths. Of host
# ports none is left: a Pod that has one is refused.
_OF_PODS = ("veth*",)
_KUBE_PROXY: tuple[tuple[Kind, str, str], ...] = (
    ("chains", "KUBE-", "kube-proxy does not clean up on exit (kubernetes#119265)"),
    ("nft-table", "ip kube-proxy", "kube-proxy's Services in nftables mode"),
    ("nft-table", "ip6 kube-proxy", "the same for IPv6"),
)
_RUNTIME: tuple[tuple[Kind, str, str], ...] = (
    ("path", "/var/lib/cni/results", "CNI DEL runs with results of the old network"),
    ("path", "/var/lib/cni/cache", "the same, for the newer library"),
)
_ROLLING: tuple[tuple[Kind, str, str], ...] = (
    ("path", "/etc/cni/net.d/99-cni-migration.conflist*", "every new Pod is refused, as while a node moves"),
    ("path", "/opt/cni/bin/cni-migration-hold*", "the plugin that refuses them"),
    ("rule", str(DIRECT_TABLE), "podCIDRs are reached by routes that nobody keeps any more"),
    ("table", str(DIRECT_TABLE), "the routes themselves"),
    ("address", "lo:cilium_host", "a Pod that is given this address is not reached from its node"),
    ("chains", "HANDOVER-", "flows are given the addresses of a tunnel and a bridge that are gone"),
)
_CILIUM: tuple[tuple[Kind, str, str], ...] = (
    ("path", "/etc/cni/net.d/05-cilium.conflist", "'cilium.sock missing' for every new Pod (cilium#27715)"),
    ("path", "/etc/cni/net.d/05-cilium.conf.cilium_bak", "what an agent has made of its predecessor's configuration"),
    ("path", "/opt/cni/bin/cilium-cni", "an old plugin answers for a new configuration"),
    ("process", "cilium-cni", "a CNI DEL that is under way queues in /run/cilium after it was removed"),
    ("tc", "cil_", "before kernel 6.6 programs are filters on eth0, and no pin holds them"),
    ("link", "lxc*", "a dead Pod's interface keeps its tc programs and routes"),
    ("link", "hot[0-9]*", "the same, of a Pod that was there before Cilium (on_node/handover.sh)"),
    ("link", "cilium_*", "'address already in use' for flannel.1 (tke#1279); they outlive an uninstall (cilium#34289)"),
    ("path", "/sys/fs/bpf/cilium", "socket load balancing stays attached, ClusterIPs are dead (cilium#30688)"),
    # Its own clean-up goes by this prefix, too: other tools keep their maps in the same folder.
    ("path", "/sys/fs/bpf/tc/globals/cilium_*", "programs on eth0 keep dropping and translating (cilium#17292)"),
    ("path", "/sys/fs/bpf/tc/globals/cil_*", "the same"),
    ("mount", "/run/cilium/cgroupv2", "the folder below cannot be removed"),
    ("path", "/run/cilium", "an agent restores endpoints that are gone"),
    ("path", "/var/lib/cilium", "the same, across a reboot"),
    ("chains", "CILIUM_", "DNS fails after Cilium to Flannel (cilium#17292)"),
    ("chains", "OLD_CILIUM_", "what an agent that was killed had set aside"),
    ("rule", "2004", "the proxy's routing rules send Pods' packets to lo"),
    ("table", "2004", "the routes themselves"),
    ("rule", "2005", "the same, from the proxy"),
    ("table", "2005", "the routes themselves"),
    ("path", "/etc/sysctl.d/99-zzz-override_cilium.conf", "rp_filter=0 comes back with every reboot (cilium#48936)"),
)


def residue(pod_subnet: str, owners: Sequence[Owner] = OWNERS) -> tuple[Residue, ...]:
    """Every row of `owners`, in the order of removal: none of them may run when a node is cleaned."""
    cilium: tuple[tuple[Kind, str, str], ...] = (
        *_CILIUM,
        ("routes", pod_subnet, "autoDirectNodeRoutes stay and win over flannel.1"),
        ("sysctls", "rp_filter", "loose for ever (cilium#48936)"),
    )
    tables: dict[Owner, Sequence[tuple[Kind, str, str]]] = {
        "flannel": _FLANNEL,
        "kube-proxy": _KUBE_PROXY,
        "cilium": cilium,
        "runtime": _RUNTIME,
        "rolling": _ROLLING,
    }
    return tuple(
        Residue(owner=owner, kind=kind, what=what, why=why) for owner in owners for kind, what, why in tables[owner]
    )


def handed_over() -> tuple[Residue, ...]:
    """What Flannel and kube-proxy leave on a node whose Pods run on under Cilium: the runtime's results of Flannel's
    calls go too, since the Pods' DEL is Cilium's now."""
    results: tuple[Kind, str] = ("path", "/var/lib/cni/results/cbr0-*")
    why = "a Pod's DEL runs with the result of the old network"
    rows = [row for row in residue("", ("flannel", "kube-proxy")) if row.what not in _OF_PODS]
    return (*rows, Residue(owner="runtime", kind=results[0], what=results[1], why=why))


def plugin_calls(cni: Literal["flannel", "cilium"]) -> tuple[Residue, ...]:
    """The calls of this CNI's plugin that are under way."""
    return tuple(row for row in residue("", (cni,)) if row.kind == "process")


def without_devices(pod_subnet: str) -> tuple[Residue, ...]:
    """What goes of Cilium's while Pods that run still have its devices, and its router is their gateway: a filter that
    is strict by then would drop their packets on the way into the bridge."""
    return tuple(row for row in residue(pod_subnet, ("cilium",)) if row.kind not in ("link", "sysctls"))


def render(rows: Sequence[Residue]) -> str:
    """The table as clean.sh reads it: a row a line, the kind, a space, and what."""
    return "".join(f"{row.kind} {row.what}\n" for row in rows)


def explain(said: str) -> list[str]:
    """Why each row matters that clean.sh names as still there, as `KIND WHAT: ITEM`, a line each."""
    rows = residue("")
    return [
        f"{line.strip()}: {row.why}"
        for line in said.splitlines()
        for row in rows
        if row.what and line.strip().startswith(f"{row.kind} {row.what}: ")
    ]
