"""A Pod of Cilium's goes into Flannel's bridge while it makes connections, in network namespaces of this machine; and
Flannel's files, the rules between the two, and the filtering that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from unit.handover_world import NODE, OTHER, POD, Place, path_with, run, sh, standing, talking

PODS = {POD: ("10.244.1.9", "lxc1", "veth01234567"), OTHER: ("10.244.1.8", "lxc2", "veth89abcdef")}
ENV = {"GATEWAY": "10.244.1.1", "NETWORK": "10.244.1.0", "PREFIX": "24", "POD_SUBNET": "10.244.0.0/16", "MTU": "1450"}
WAY = ("routed", "bridge", "dress", "settle")
# As Cilium leaves them. Its programs' part, the way to each Pod, is a table of its own here.
MADE = f"""
ip -n {NODE} link add eth0 type veth peer name out; ip -n {NODE} link set eth0 up
ip -n {NODE} addr add 172.18.0.2/16 dev eth0
ip -n {NODE} link add cilium_host type veth peer name cilium_net
ip -n {NODE} link set cilium_net up; ip -n {NODE} link set cilium_host up
ip -n {NODE} addr add 10.244.1.77/32 dev cilium_host; ip -n {NODE} route add 10.244.1.77 dev cilium_host scope link
ip -n {NODE} route add 10.244.1.0/24 via 10.244.1.77 dev cilium_host
ip -n {NODE} rule add priority 100 lookup 100
ip netns exec {NODE} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
""" + "".join(
    f"""
ip -n {NODE} link add {device} type veth peer name eth0 netns {pod}
ip -n {NODE} link set {device} up; ip -n {pod} link set eth0 up
ip -n {pod} addr add {address}/32 dev eth0; ip -n {pod} route add 10.244.1.77 dev eth0 scope link
ip -n {pod} route add default via 10.244.1.77; ip -n {NODE} route add {address} dev {device} src 10.244.1.77 table 100
"""
    for pod, (address, device, _) in PODS.items()
)


@pytest.fixture
def place() -> Iterator[Place]:
    with standing(MADE, list(PODS)) as found:
        yield found


def state(place: Place) -> str:
    """All that the steps change; what the kernel learns by itself is left out."""
    asked = ("-4 -oneline addr show", "-4 route show", "-oneline link show", "neigh show nud permanent")
    ports = sh(f"bridge -netns {NODE} -details link show").stdout
    return "\n".join(place.look(what, at) for at in (NODE, *PODS) for what in asked) + ports


def router(name: str, networks: Path) -> CompletedProcess[str]:
    inside, folders = ("ip", "netns", "exec", NODE), {"/var/lib/cni/networks/cbr0": networks}
    done = run("router", *inside, folders=folders, STEP=name, GATEWAY=ENV["GATEWAY"])
    assert done.returncode == 0, done.stderr
    return done


# What others do on the way.
OTHERS = {"the programs go": "rule del priority 100", "cilium_host goes": "link del cilium_host"}


def step(place: Place, name: str, told: str) -> None:
    if name in OTHERS:
        place.look(OTHERS[name])
        return
    script = "routed" if name == "routed" else "rebridge"
    done = place.on_node(script, stdin=told, STEP=name, WAY="back", **ENV)
    assert done.returncode == 0, f"{name}: {done.stderr}"


def test_a_pod_goes_into_flannel_s_bridge_and_none_of_its_connections_fails(place: Place) -> None:
    told = place.rows(PODS)
    redirects = [f"/proc/sys/net/ipv4/conf/{conf}/send_redirects" for conf in ("all", "default")]
    before = [place.file(path) for path in redirects]
    with talking({NODE: "172.18.0.2", OTHER: "10.244.1.8"}) as all_answer:
        for name in ("routed", "the programs go", "bridge", "dress", "cilium_host goes", "settle"):
            step(place, name, told)
            all_answer(name)
    for pod, (address, _, name) in PODS.items():
        inside = place.look("-4 -oneline addr show dev eth0", pod)
        assert inside.count("inet ") == 1, f"the Pod would go on with an address that is Cilium's: {inside}"
        assert f"inet {address}/24 brd 10.244.1.255" in inside, f"a restart would give it another network: {inside}"
        ways = {line.strip() for line in place.look("-4 route show", pod).splitlines()}
        assert ways == {
            "default via 10.244.1.1 dev eth0",
            "10.244.0.0/16 via 10.244.1.1 dev eth0",
            f"10.244.1.0/24 dev eth0 proto kernel scope link src {address}",
        }, f"it would send to a router that has gone: {ways}"
        mtus = {place.file("/sys/class/net/eth0/mtu", pod), place.file(f"/sys/class/net/{name}/mtu")}
        assert mtus == {"1450"}, f"its full packets would not get through Flannel's tunnel: {mtus}"
        host, known = place.file(f"/sys/class/net/{name}/address"), place.look("neigh show dev eth0", pod)
        assert host not in known, f"it would go on sending to its own veth, as for Cilium's router: {known}"
        port = sh(f"bridge -netns {NODE} -details link show dev {name}").stdout
        assert "master cni0" in port, f"the Pod would have no network, or its CNI's DEL not find it: {port}"
        assert "hairpin on" in port, f"a Pod would not reach itself by its Service: {port}"
        assert place.file(f"/proc/sys/net/ipv4/conf/{name}/proxy_arp") == "0", "it would answer for the whole network"
    assert [place.file(path) for path in redirects] == before, "the node would never again tell of shorter ways"
    left = place.look("-4 route show") + place.look("neigh show nud permanent")
    for address, _, _ in PODS.values():
        assert f"{address} " not in left, f"a later Pod with its address would not be reached: {left}"


def test_a_connection_of_the_node_outlives_cilium_s_router_and_its_address_goes_with_it(
    place: Place, tmp_path: Path
) -> None:
    told = place.rows(PODS)
    with talking({POD: PODS[POD][0]}, asker=NODE) as all_answer:
        for name in ("routed", "keep", "the programs go", "bridge", "dress", "cilium_host goes", "settle"):
            if name == "keep":
                router(name, tmp_path)
                router(name, tmp_path)
            else:
                step(place, name, told)
            all_answer(name)
        assert [file.name for file in tmp_path.iterdir()] == ["10.244.1.77"], "Flannel would give it to a Pod"
        said = router("off", tmp_path).stderr
        assert "10.244.1.77 stays" in said, f"nobody would know why it is on lo: {said}"
        all_answer("off")
        new = place.look("route get 10.244.1.9")
        assert "src 10.244.1.1 " in new, f"new connections would have it, and it never go: {new}"
    assert not router("off", tmp_path).stderr
    assert "10.244.1.77" not in place.look("-4 -oneline addr show"), "it would be on lo for ever"
    assert not list(tmp_path.iterdir()), "no Pod would ever be given it"


def test_a_router_with_the_gateway_s_address_is_the_bridge_s_affair(place: Place, tmp_path: Path) -> None:
    place.look("addr add 10.244.1.1/32 dev cilium_host")
    place.look("addr del 10.244.1.77/32 dev cilium_host")
    router("keep", tmp_path)
    assert "10.244" not in place.look("-4 -oneline addr show dev lo"), "the bridge's address would be on two devices"
    assert not list(tmp_path.iterdir())


def test_an_address_that_went_with_a_node_s_start_is_free_again(place: Place, tmp_path: Path) -> None:
    router("keep", tmp_path)
    (tmp_path / "10.244.1.9").write_text("a Pod's\r\neth0")
    place.look("addr del 10.244.1.77/32 dev lo")
    router("off", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["10.244.1.9"], "no Pod would be given it, or two the other"


def test_a_clean_up_takes_the_router_s_address_away_and_nobody_else_finds_it(place: Place, tmp_path: Path) -> None:
    router("keep", tmp_path)
    inside, row = ("ip", "netns", "exec", NODE), "address lo:cilium_host\n"
    folders = {"/var/lib/cni-migration": tmp_path}
    listed = run("clean", *inside, stdin=row, folders=folders, MODE="list", PEERS="")
    assert listed.returncode == 0 and not listed.stdout, f"what is there on purpose would pass for drift: {listed}"
    removed = run("clean", *inside, stdin=row, folders=folders, MODE="remove", PEERS="")
    assert removed.returncode == 0, removed.stderr
    on_lo = place.look("-4 -oneline addr show dev lo")
    assert "10.244.1.77" not in on_lo, f"Cilium would give it to a Pod that nobody reaches: {on_lo}"
    assert "127.0.0.1" in on_lo, "the node would lose its loopback"


def test_a_pod_s_own_routes_and_its_smaller_mtu_stay(place: Place) -> None:
    made = (
        "link add tun0 type veth peer name far",
        "link set tun0 up",
        "link set far up",
        "link set eth0 mtu 1300",
        "route del default",
    )
    made += ("route add 203.0.113.9 via 10.244.1.77", "route add default dev tun0", "route add 10.244.1.55 dev eth0")
    made += ("route add default via 10.244.1.77 dev eth0 metric 100",)
    for what in made:
        place.look(what, POD)
    told = place.rows(PODS)
    for name in ("routed", "bridge", "dress", "dress"):
        step(place, name, told)
    ways = {" ".join(line.split()) for line in place.look("-4 route show", POD).splitlines()}
    assert "default dev tun0 scope link" in ways, f"what the Pod sends by its tunnel would leave in clear: {ways}"
    assert "default via 10.244.1.1 dev eth0 metric 100" in ways, f"what it falls back to would be gone: {ways}"
    assert "203.0.113.9 via 10.244.1.1 dev eth0" in ways, f"its tunnel would go by a router that has gone: {ways}"
    assert "10.244.1.55 dev eth0 scope link" in ways, f"a way that it has made itself would be taken away: {ways}"
    assert not [way for way in ways if "10.244.1.77" in way], f"Cilium's router would still be in its ways: {ways}"
    assert place.file("/sys/class/net/eth0/mtu", POD) == "1300", "its packets would be larger than it has decided"


def test_a_pod_that_flannel_had_made_loses_the_mtu_that_cilium_gave_its_ways(place: Place) -> None:
    for what in ("route del default", "route del 10.244.1.77", "addr del 10.244.1.9/32 dev eth0"):
        place.look(what, POD)
    for what in ("addr add 10.244.1.9/24 dev eth0", "route add default via 10.244.1.1 dev eth0 mtu 1500"):
        place.look(what, POD)
    told = place.rows(PODS)
    for name in ("routed", "bridge", "dress"):
        step(place, name, told)
    ways = place.look("-4 route show default", POD)
    assert ways.split() == ["default", "via", "10.244.1.1", "dev", "eth0"], (
        f"it would not be as Flannel makes one: {ways}"
    )


def test_each_step_of_the_way_back_can_be_repeated_and_one_that_was_cut_off_begun_again(place: Place) -> None:
    told = place.rows(PODS)
    for number, first in enumerate(WAY):
        if first == "settle":
            place.look("link del cilium_host")
        step(place, first, told)
        once = state(place)
        # Behind the last nothing begins at the first again: Cilium has gone.
        for again in (first,) if first == "settle" else WAY[: number + 1]:
            step(place, again, told)
            assert state(place) == once, f"a move that was cut off behind {first!r} would leave its Pods in another way"
    links = place.look("link")
    assert "cni0" in links and "lxc" not in links, f"nothing would have moved: {links}"


def test_the_bridge_keeps_its_mac_when_a_pod_with_a_lower_one_comes(place: Place) -> None:
    told = place.rows(PODS)
    for name in ("routed", "bridge"):
        step(place, name, told)
    mac = place.file("/sys/class/net/cni0/address")
    sh(
        f"ip -n {NODE} link add new address 02:00:00:00:00:01 type veth peer name newer\n"
        f"ip -n {NODE} link set new master cni0"
    )
    now = place.file("/sys/class/net/cni0/address")
    assert now == mac, "every Pod would send to a MAC that nobody has, until it asks again"
    assert place.file("/sys/class/net/cni0/mtu") == "1450", "the host would send what Flannel's tunnel does not take"


def test_of_a_way_there_that_was_taken_back_the_bridge_has_its_route_again(place: Place) -> None:
    told = place.rows(PODS)
    for name in ("routed", "bridge", "dress"):
        step(place, name, told)
    # As by the agent, which puts its own in the place of the one that is there.
    place.look("route del 10.244.1.0/24 dev cni0")
    place.look("link del cilium_host")
    step(place, "settle", told)
    assert "10.244.1.0/24 dev cni0" in place.look("-4 route show"), "no Pod of the node would be reached any more"


def test_a_node_that_was_started_again_has_its_direct_routes_once_more(place: Place, tmp_path: Path) -> None:
    told = "10.244.1.0/24 172.18.0.2 cilium n\n10.244.2.0/24 172.18.0.3 flannel m\n"
    path = path_with(tmp_path, conntrack="exit 1")
    for _ in range(2):
        env = {"STEP": "again", "POD_SUBNET": ENV["POD_SUBNET"], "TABLE": "244", "PATH": path}
        done = place.on_node("direct_routes", stdin=told, **env)
        assert done.returncode == 0, done.stderr
        assert place.look("route show table 244").split()[:3] == ["10.244.2.0/24", "via", "172.18.0.3"], (
            "its Pods would have no way to other nodes when the old CNI's routes go"
        )
        assert place.look("rule").count("lookup 244") == 1, "nobody would go by these routes, or a rule stay for ever"


def test_a_pod_that_ends_meanwhile_does_not_keep_the_others_out_of_the_bridge(place: Place) -> None:
    told = "999999999 10.244.1.7 99 aa:bb:cc:dd:ee:ff vethffffffff\n" + place.rows(PODS)
    for name in WAY:
        step(place, name, told)
    links = place.look("link show master cni0")
    assert all(name in links for _, _, name in PODS.values()), f"Pods would be left without a network: {links}"


def test_an_address_is_taken_with_flannel_s_files_and_let_go_by_its_own_pod_alone(tmp_path: Path) -> None:
    def files(name: str, told: str = "") -> str:
        done = run("flannel_files", stdin=told, folders={"/var/lib/cni": tmp_path}, STEP=name)
        assert done.returncode == 0, done.stderr
        return done.stdout

    address, delegate = tmp_path / "networks/cbr0/10.244.1.9", tmp_path / "flannel/abc"
    result = tmp_path / "results/cilium-abc-eth0"
    result.parent.mkdir()
    result.touch()
    for _ in range(2):
        files("write", 'abc 10.244.1.9 {"name": "cbr0", "mtu": 1450}\n')
        assert address.read_bytes() == b"abc\r\neth0", "host-local would give the Pod's address to another"
        assert delegate.read_text() == '{"name": "cbr0", "mtu": 1450}', "its DEL would know of no network to take away"
        assert not result.exists(), "the runtime would go on with what Cilium's plugin had answered"
        found = sorted(path.name for path in tmp_path.glob("**/*") if path.is_file())
        assert found == ["10.244.1.9", "abc"], f"host-local would take the other file for an address: {found}"
    (address.parent / "last_reserved_ip.0").write_text("10.244.1.9")
    (address.parent / "lock").touch()
    (address.parent / "10.244.1.7").touch()  # of a machine that stopped while it was written
    assert files("list") == "abc 10.244.1.9\n", "the address of a Pod that an earlier run has met would stay taken"
    address.write_bytes(b"def\r\neth0")
    files("forget", "abc 10.244.1.9 -\n")
    assert address.exists(), "the address would be given away while another Pod has it by now"
    assert not delegate.exists(), "the file of a Pod that has ended would stay for ever"
    address.write_bytes(b"abc\r\neth0")
    for _ in range(2):
        files("forget", "abc 10.244.1.9 -\n")
        assert not address.exists(), "the address of a Pod that has ended would never be free again"


@pytest.mark.parametrize(
    ("flow", "counted"),
    [
        ("src=10.244.1.9 dst=172.18.0.3 sport=1 dport=2 src=172.18.0.3 dst=10.244.1.9", True),  # to another node
        ("src=10.244.1.9 dst=10.96.0.1 sport=1 dport=2 src=172.18.0.3 dst=10.244.1.9", True),  # by a Service
        ("src=10.244.2.5 dst=172.18.0.2 sport=1 dport=2 src=172.18.0.2 dst=10.244.2.5", True),  # from another's Pod
        ("src=172.18.0.2 dst=10.244.2.5 sport=1 dport=2 src=10.244.2.5 dst=172.18.0.2", True),  # to another's Pod
        ("src=172.18.0.2 dst=10.244.1.9 sport=1 dport=2 src=10.244.1.9 dst=172.18.0.2", False),  # the node, its Pod
        ("src=172.18.0.2 dst=10.244.2.5 sport=1 dport=2 src=10.244.2.5 dst=10.244.1.0", False),  # by the tunnel
        ("src=10.244.1.9 dst=172.18.0.3 sport=1 dport=2 src=172.18.0.3 dst=172.18.0.2", False),  # masqueraded
        ("src=10.244.1.9 dst=10.244.2.5 sport=1 dport=2 src=10.244.2.5 dst=10.244.1.9", False),  # Pods alone
        ("src=10.244.1.9 dst=203.0.113.7 sport=1 dport=2 src=203.0.113.7 dst=10.244.1.9", False),  # no node
    ],
)
def test_filtering_stays_loose_as_long_as_a_connection_goes_one_way_past_the_tunnel(
    tmp_path: Path, flow: str, counted: bool
) -> None:
    (tmp_path / "rp_filter").write_text("net.ipv4.conf.all.rp_filter = 1\n")
    loose, written = tmp_path / "rp_filter.loose", tmp_path / "written"
    known = f"tcp      6 86399 ESTABLISHED {flow} sport=2 dport=1 [ASSURED] mark=0 use=1"
    path = path_with(tmp_path / "bin", conntrack=f"echo '{known}'", sysctl=f"echo $* >>{written}")
    if not counted:
        loose.touch()  # of a time when there was one
    done = run(
        "direct_routes",
        stdin="10.244.1.0/24 172.18.0.2 flannel n\n10.244.2.0/24 172.18.0.3 cilium m\n",
        folders={"/var/lib/cni-migration": tmp_path},
        PATH=path,
        STEP="strict",
        POD_SUBNET="10.244.0.0/16",
        TABLE="244",
    )
    assert done.returncode == 0, done.stderr
    if counted:
        assert not written.exists(), "a strict filter would cut the connection off"
        assert loose.exists(), "the clean-up would take the loose filter for somebody else's, and never make it strict"
        assert "n: rp_filter stays loose (2): 1 open" in done.stderr, "its user would not know why it is loose"
    else:
        assert written.exists() and "all.rp_filter=1" in written.read_text(), "the node would stay loose for ever"
        assert not loose.exists(), "a filter that somebody loosens later would pass as the migration's own"


def test_what_leaves_a_node_between_two_cnis_has_the_node_s_address_until_flannel_s_rules_are_there(
    place: Place,
) -> None:
    def rules(name: str) -> list[str]:
        told = "10.244.1.0/24 172.18.0.2 none n\n10.244.2.0/24 172.18.0.3 flannel m\n"
        for _ in range(2):
            done = place.on_node("unmasq", stdin=told, STEP=name, POD_SUBNET="10.244.0.0/16")
            assert done.returncode == 0, f"{name}: {done.stderr}"
        found = sh(f"ip netns exec {NODE} iptables -t nat -S").stdout.splitlines()
        return [line for line in found if "HANDOVER" in line or line.startswith("-A POSTROUTING")]

    sh(f"ip netns exec {NODE} iptables -t nat -A POSTROUTING -j RETURN")
    ahead = ["-N HANDOVER-SNAT", "-A POSTROUTING -j HANDOVER-SNAT", "-A POSTROUTING -j RETURN"]
    snat = "-A HANDOVER-SNAT ! -s 10.244.0.0/16 -d 10.244.0.0/16 -o eth0 -j SNAT --to-source 172.18.0.2"
    masquerade = "-A HANDOVER-SNAT -s 10.244.1.0/24 ! -d 10.244.0.0/16 -o eth0 -j MASQUERADE"
    assert rules("back") == [*ahead, snat], "a node's connections to Pods would end when Flannel's rules come"
    assert rules("alone") == [*ahead, snat, masquerade], "the Pods would not reach anything outside meanwhile"
    assert rules("back") == [*ahead, snat], "a Pod's connections would be masqueraded twice"
    assert rules("off") == ["-A POSTROUTING -j RETURN"], "the migration's rules would be in the node's way for ever"
