"""A Pod goes out of Flannel's bridge while it makes connections, in network namespaces of this machine: the scripts as
they are, and the kernel's own answer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from unit.handover_world import NODE, OTHER, POD, Place, path_with, run, sh, standing, talking

BRIDGE = "02:00:00:00:00:01"
ENV = {"GATEWAY": "10.244.1.1", "NETWORK": "10.244.1.0"}
PODS = {POD: ("10.244.1.9", "veth1", "lxc0123456789ab"), OTHER: ("10.244.1.8", "veth2", "lxccdef01234567")}
MADE = f"""
ip -n {NODE} link add eth0 type veth peer name out; ip -n {NODE} link set eth0 up
ip -n {NODE} link add cni0 address {BRIDGE} type bridge
ip -n {NODE} addr add 10.244.1.1/24 dev cni0; ip -n {NODE} link set cni0 up
ip -n {NODE} link add flannel.1 type veth peer name far; ip -n {NODE} addr add 10.244.1.0/32 dev flannel.1
""" + "".join(
    f"""
ip -n {NODE} link add {device} type veth peer name eth0 netns {pod}
ip -n {NODE} link set {device} master cni0 up; ip -n {pod} link set eth0 up
ip -n {pod} addr add {address}/24 dev eth0; ip -n {pod} route add default via 10.244.1.1
"""
    for pod, (address, device, _) in PODS.items()
)


@pytest.fixture
def place() -> Iterator[Place]:
    with standing(MADE, list(PODS)) as found:
        yield found


def handover(place: Place, step: str, rows: str, **env: str) -> CompletedProcess[str]:
    if step == "routed":
        return place.on_node("routed", stdin=rows, STEP="the route", WAY="there", **env)
    return place.on_node("handover", stdin=rows, STEP=step, **ENV, **env)


def test_a_pod_leaves_the_bridge_and_none_of_its_connections_fails(place: Place) -> None:
    rows = place.rows(PODS)
    with talking({NODE: "10.244.1.1", OTHER: "10.244.1.8"}) as all_answer:
        for step in ("routed", "leave", "tunnel", "served", "routed", "leave"):  # the last two once more
            done = handover(place, step, rows)
            assert done.returncode == 0, f"{step}: {done.stderr}"
            if step == "tunnel":
                place.look("neigh flush dev eth0", POD)  # it asks for its neighbours, who are behind the node now
            all_answer(step)
    assert "10.244.1.9 dev lxc0123456789ab proto kernel scope link" in place.look("route"), (
        "nothing would reach the Pod"
    )
    assert "master" not in place.look("link show lxc0123456789ab"), "the Pod would lose its network with the bridge"
    assert "flannel.1" not in place.look("link"), "Cilium's routes would be beside those of the tunnel"
    assert "inet 10.244.1.0/32 scope link lo" in place.look("addr show lo"), "flows that have the address would end"


def test_a_pod_knows_its_gateway_by_its_own_veth_before_it_leaves_the_bridge_and_whatever_it_learns_then(
    place: Place, tmp_path: Path
) -> None:
    only, ip, log = place.rows(PODS).splitlines()[0], shutil.which("ip"), tmp_path / "log"
    learns = f"{ip} -n {POD} neigh replace 10.244.1.1 lladdr {BRIDGE} dev eth0 nud reachable"
    leaving = f"{ip} -n {POD} neigh show dev eth0 >{log}; {learns}"
    path = path_with(tmp_path, ip=f'if [[ "$*" = *nomaster ]]; then {leaving}; fi\nexec {ip} "$@"')
    assert sh(learns).returncode == 0
    handover(place, "routed", f"{only}\n")
    done = handover(place, "leave", f"{only}\n", PATH=path)
    assert done.returncode == 0, done.stderr
    own = f"10.244.1.1 lladdr {place.file('/sys/class/net/lxc0123456789ab/address')}"
    assert own in log.read_text(), "what the Pod sends while it leaves would be lost: it is for the bridge's MAC"
    known = place.look("neigh show dev eth0", POD)
    assert own in known, f"what it learnt in that moment would cut it off, for a MAC that nobody has: {known}"


def test_the_bridge_stays_while_nobody_else_has_the_gateway_or_a_pod_is_in_it(place: Place) -> None:
    rows = place.rows(PODS)
    assert "has not the address 10.244.1.1" in handover(place, "bridge", rows).stderr, "Pods would have no gateway"
    sh(
        f"ip -n {NODE} link add cilium_host type veth peer name net\n"
        f"ip -n {NODE} addr add 10.244.1.1/32 dev cilium_host"
    )
    assert "is still in the bridge" in handover(place, "bridge", rows).stderr, "a Pod would lose its network"
    for step in ("routed", "leave", "bridge", "bridge"):
        done = handover(place, step, rows)
        assert done.returncode == 0, f"{step}: {done.stderr}"
    assert "cni0" not in place.look("link"), "the bridge's route would lead the Pods' packets to nobody"


def test_a_pod_that_has_ended_meanwhile_stops_nothing_and_one_that_runs_is_named(place: Place) -> None:
    ended = "999999999 10.244.1.7 99 aa:bb:cc:dd:ee:ff lxcffffffffffff\n"
    done = handover(place, "routed", ended + place.rows(PODS))
    assert done.returncode == 0, f"one Pod that ended would keep a node from moving: {done.stderr}"
    assert "10.244.1.9 dev lxc0123456789ab" in place.look("route"), "the Pods behind one that ended would be left out"
    failed = handover(place, "routed", ended.replace("999999999", str(os.getpid())))
    assert failed.returncode != 0 and "10.244.1.7" in failed.stderr, "a Pod would be left behind without a word"


@pytest.mark.parametrize("unknown", ["tcp", "udp"])
def test_the_tunnel_s_address_stays_where_nobody_knows_whether_a_flow_has_it(tmp_path: Path, unknown: str) -> None:
    log = tmp_path / "log"
    ip = f"echo '1: lo inet 10.244.1.0/32'; echo \"$*\" >>{log}"
    path = path_with(tmp_path, conntrack=f'[[ "$*" != *"-p {unknown}"* ]]', ip=ip, iptables="exit 1")
    done = run("unmasq", stdin="10.244.1.0/24 172.18.0.2 cilium n\n", PATH=path, STEP="off")
    assert done.returncode != 0 and "delete" not in log.read_text(), "open connections would break"


def test_a_pod_that_ends_while_nobody_has_the_node_takes_its_network_with_it(place: Place, tmp_path: Path) -> None:
    plugin = tmp_path / "cilium-cni"
    plugin.touch()
    done = run("hold", folders={"/opt/cni/bin": tmp_path}, STEP="leave")
    assert done.returncode == 0, done.stderr

    def delete(namespace: str, device: str = "eth0") -> int:
        return sh(f"CNI_COMMAND=DEL CNI_NETNS={namespace} CNI_IFNAME={device} {plugin}").returncode

    assert delete(f"/var/run/netns/{POD}", "lo") != 0, "the runtime would not try again where a network could not go"
    assert delete(f"/var/run/netns/{POD}") == 0, "the Pod would stay for ever, Terminating"
    links = place.look("link")
    assert "veth1" not in links, f"the way to its address would stay, and the next Pod with it not be reached: {links}"
    for where in (f"/var/run/netns/{POD}", "/var/run/netns/gone", "''"):
        assert delete(where) == 0, f"a Pod whose network has gone would stay for ever, Terminating ({where})"


def test_a_move_that_is_taken_back_gives_cilium_its_own_plugin_back(tmp_path: Path) -> None:
    plugin, net_d = tmp_path / "cilium-cni", tmp_path / "net.d"
    net_d.mkdir()
    folders = {"/opt/cni/bin": tmp_path, "/etc/cni/net.d": net_d}
    plugin.write_text("Cilium's own")
    for name in ("leave", "leave", "off"):
        done = run("hold", folders=folders, STEP=name)
        assert done.returncode == 0, done.stderr
        own = plugin.read_text() == "Cilium's own"
        assert own == (name == "off"), f"{name}: the node would refuse new Pods for ever"
    assert run("hold", folders=folders, STEP="said").stdout == "", "a node at rest would be moved once more"
    run("hold", folders=folders, STEP="on")
    assert run("hold", folders=folders, STEP="said").stdout == "on\n", "a node that admits no Pod would count as moved"
    run("hold", folders=folders, STEP="leave")
    plugin.write_text("a newer agent's")
    assert run("hold", folders=folders, STEP="off").returncode == 0
    assert plugin.read_text() == "a newer agent's", "a new agent would be given an old plugin"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"cilium-cni", "net.d"}, f"the holding plugin would stay: {left}"


@pytest.mark.parametrize("answer", ["exit 1", "[ $3 = pods ] && echo abc || exit 1"])
def test_a_runtime_that_does_not_say_who_runs_is_no_node_without_pods(tmp_path: Path, answer: str) -> None:
    done = run("tenants", PATH=path_with(tmp_path, crictl=answer), STEP="sandboxes")
    assert done.returncode != 0, "every Pod of the node would be taken for one that has ended"
    assert "does not say who" in done.stderr
    assert run("tenants", PATH=path_with(tmp_path, crictl="true"), STEP="sandboxes").returncode == 0


def test_a_pod_whose_network_no_cni_has_made_is_named_and_the_others_are_seen(place: Place) -> None:
    told = "".join(f"p{number} {pid}\n" for number, pid in enumerate(place.pids))
    usual = place.on_node("tenants", stdin=told, STEP="links").stdout.splitlines()
    assert [line.split()[3] for line in usual] == ["10.244.1.9", "10.244.1.8"], f"it would not be moved: {usual}"
    for made, said in (
        ("addr flush dev eth0", "has no IPv4 address on eth0"),
        ("link set eth0 name x0", "has no eth0"),
        ("link add eth0 type bridge", "has an eth0 that is no veth"),
    ):
        place.look(made, POD)
        done = place.on_node("tenants", stdin=told, STEP="links")
        assert done.stdout.splitlines() == [f"p0 ? {said}", usual[1]], f"the move would stop, and name nobody: {done}"


def test_what_was_quiet_before_a_move_is_kept_until_the_next_one_begins_behind_its_proof(tmp_path: Path) -> None:
    def quiet(step: str, told: str = "") -> str:
        done = run("quiet", stdin=told, folders={"/var/lib/cni-migration": tmp_path / "kept"}, STEP=step)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert quiet("list") == quiet("unproved") == ""
    quiet("proved")
    quiet("note", "abc far\n")
    assert quiet("list") == quiet("unproved") == "abc far\n", "a firewall of its own would stop the node"
    quiet("proved")
    assert (quiet("list"), quiet("unproved")) == ("abc far\n", ""), "a run that is cut off behind it would be stopped"
    quiet("note", "def\n")
    assert quiet("unproved") == "def\n", "what this move breaks would be taken for what was so before"
