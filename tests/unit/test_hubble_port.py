"""Hubble's port of this machine: what settings may say, what a cluster has, whose it is, and what the stack says."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pulumi
import pytest
import yaml

from components.cluster.kind_cluster import KindClusterArgs, kind_config
from components.cni.cilium import cilium_values
from plan import hubble
from plan.hubble import HostPortError, check_port, host_port, reached
from plan.observation import Node, Observed
from plan.ownership import Claim
from settings import Settings, SettingsError, parse
from settings.hubble import NODE_PORT, HostPort
from settings.strategy import RECREATE
from steps import cluster_up
from steps import host_port as host_port_of_steps
from steps.doors import docker
from steps.doors.process import ToolError
from steps.host_port import in_the_way
from steps.running import StepError

DEFAULT = HostPort(address="127.0.0.1", port=12000)


def node(cluster: str, *hosts: HostPort) -> dict[str, Any]:
    """As `docker inspect` shows one, running or not."""
    bindings = [{"HostIp": host.address, "HostPort": str(host.port)} for host in hosts]
    labels = {docker.KIND_LABEL: cluster}
    return {"Config": {"Labels": labels}, "HostConfig": {"PortBindings": {f"{NODE_PORT}/tcp": bindings, "1/tcp": None}}}


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The nodes of every Kind cluster that the engine knows; none to begin with."""
    found: list[dict[str, Any]] = []

    def run(command: Sequence[str], **_: object) -> str:
        return "\n".join("id" for _ in found) if command[1] == "ps" else json.dumps(found)

    monkeypatch.setattr(docker, "run", run)
    return found


@pytest.fixture
def listening() -> Iterator[HostPort]:
    """A port on which another process listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield HostPort(address="127.0.0.1", port=server.getsockname()[1])


def observed(has: HostPort | None) -> Observed:
    one = Node(name="c-control-plane", role="control-plane", image="i:v1", state="running", started="t", hubble=has)
    return Observed(nodes=(one,), pod_subnet="10.244.0.0/16", service_subnet="10.96.0.0/16", marker=None)


def settings_of(**more: Any) -> Settings:
    return parse({"cni": "cilium", "cluster": {"name": "c"}, **more})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"port": 65536}, "hubble.port: 65536 must be a whole number from 0 to 65535 (in stack)"),
        ({"port": "twelve"}, "hubble.port: 'twelve' must be a whole number"),
        ({"address": "localhost"}, "hubble.address: 'localhost' is no IPv4 address that can be listened on; write 127"),
        ({"address": "::1"}, "hubble.address: '::1' is no IPv4 address"),
        ({"address": "224.0.0.1"}, "hubble.address: '224.0.0.1' is no IPv4 address that can be listened on"),
        ({"adress": "127.0.0.1"}, "hubble.adress: unknown key (in stack); the keys are hubble.address, hubble.port"),
    ],
)
def test_a_wrong_port_or_address_is_named_with_a_remedy(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(hubble=given)
    assert says in str(caught.value), "kind would say it in its own words, after the first node"


def test_a_new_cluster_gets_the_port_on_loopback_alone_and_on_one_node() -> None:
    settings = settings_of()
    claim = Claim(stack="s", cni="cilium", generation="g", epoch=1, strategy=RECREATE, due=True)
    args = KindClusterArgs.of(settings.cluster, None, claim, host_port(settings, None))
    first, *others = kind_config(args)["nodes"]
    assert first["extraPortMappings"] == [{"containerPort": 31235, "hostPort": 12000, "listenAddress": "127.0.0.1"}], (
        "the page would be open to the network, or nowhere"
    )
    assert all("extraPortMappings" not in other for other in others), "two nodes cannot have one port"


@pytest.mark.parametrize("has", [None, HostPort(address="127.0.0.1", port=9)], ids=["none", "another"])
def test_a_cluster_that_is_there_keeps_the_port_that_it_has(has: HostPort | None) -> None:
    settings = settings_of()
    assert host_port(settings, observed(has)) == has, "every up of a settled stack would change its cluster"
    check_port(settings, observed(has))  # nothing is refused


def test_the_port_of_a_running_node_is_read_from_docker() -> None:
    api = [{"HostIp": "127.0.0.1", "HostPort": "6"}]
    two = [{"HostIp": "::", "HostPort": "7"}, {"HostIp": "", "HostPort": "8"}]
    ports = {"80/tcp": None, "6443/tcp": api, f"{NODE_PORT}/tcp": two}
    assert docker.host_ports(ports, f"{NODE_PORT}/tcp") == [HostPort(address="0.0.0.0", port=8)]
    assert docker.host_ports(None) == [], "docker has null where nothing is published"


def test_a_port_of_another_cluster_is_refused_before_anything_is_made(nodes: list[dict[str, Any]]) -> None:
    nodes += [node("other", DEFAULT), node("third")]
    with pytest.raises(HostPortError, match=r"hubble.port: 12000 is the Kind cluster other's; set it to another, such"):
        check_port(settings_of(), None)


@pytest.mark.parametrize(("address", "free"), [("0.0.0.0", False), ("127.0.0.2", True)])
def test_an_address_for_all_collides_with_each_and_two_of_their_own_do_not(
    nodes: list[dict[str, Any]], address: str, free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def permitted(_: HostPort) -> int:
        return 0

    # This machine may have a real cluster with the default port.
    monkeypatch.setattr(host_port_of_steps, "_refusal", permitted)
    nodes.append(node("other", HostPort(address=address, port=12000)))
    assert ("other" in in_the_way(DEFAULT, "c")) != free


def test_the_remedy_is_no_port_of_a_third_cluster(nodes: list[dict[str, Any]]) -> None:
    nodes += [node("other", DEFAULT), node("third", HostPort(address="127.0.0.1", port=12001))]
    assert "such as 12001" not in in_the_way(DEFAULT, "c"), "the user would run into the next refusal"


def test_what_a_cut_off_creation_left_is_in_nobodys_way(nodes: list[dict[str, Any]]) -> None:
    nodes.append(node("c", DEFAULT))
    assert in_the_way(DEFAULT, "c") == "", "the next up could not make the cluster again"
    nodes.append(node("other", DEFAULT))
    assert "other's" in in_the_way(DEFAULT, "c"), "kind would fail with a node half made"


def test_a_port_of_another_process_is_refused_and_so_is_an_address_of_another_machine(
    nodes: list[dict[str, Any]], listening: HostPort
) -> None:
    assert f"another process listens on 127.0.0.1:{listening.port}; set it to" in in_the_way(listening, "c")
    foreign = in_the_way(HostPort(address="192.0.2.1", port=12000), "c")
    assert foreign.startswith("hubble.address: 192.0.2.1 is no address of this machine"), foreign


def test_an_engine_that_does_not_answer_is_no_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> str:
        raise ToolError("docker gave no answer")

    monkeypatch.setattr(docker, "run", silent)
    with pytest.raises(HostPortError, match="docker gave no answer"):
        check_port(settings_of(), None)


def test_without_a_port_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> str:
        pytest.fail("a cluster without a port can always be made")

    monkeypatch.setattr(hubble, "in_the_way", asked)
    check_port(settings_of(hubble={"port": 0}), None)
    assert host_port(settings_of(hubble={"port": "0"}), None) is None


def test_the_step_looks_again_and_leaves_no_note_of_a_creation(
    nodes: list[dict[str, Any]], listening: HostPort, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def create(*_: object) -> None:
        pytest.fail("kind would fail with a node half made")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster_up.kind, "clusters", list)
    monkeypatch.setattr(cluster_up.kind, "create", create)
    mapping = {"containerPort": NODE_PORT, "hostPort": listening.port, "listenAddress": "127.0.0.1"}
    config = yaml.safe_dump({"nodes": [{"role": "control-plane", "extraPortMappings": [mapping]}, {"role": "worker"}]})
    with pytest.raises(StepError, match=r"nothing was touched: hubble\.port: another process"):
        cluster_up.cluster_up(cluster_up.Needs(cluster="c", stack="s", generation="g"), config)
    assert not list((tmp_path / ".state").glob("*.creating")), "the next up would look for what it left"


def test_a_cluster_with_another_port_than_the_settings_ask_for_is_told_and_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", told.append)
    check_port(settings_of(), observed(HostPort(address="127.0.0.1", port=13000)))
    assert ["127.0.0.1:13000" in line for line in told] == [True], "a changed setting would be a silent no-op"
    check_port(settings_of(), observed(None))
    check_port(settings_of(), observed(DEFAULT))
    assert len(told) == 1, "every up of an older cluster would say so"


def outputs(settings: Settings, host: HostPort | None) -> dict[str, str]:
    return reached(settings, host, cilium_values("10.244.0.0/16", "h", 6443, settings.cilium.values))


def test_the_stack_says_the_url_where_the_cluster_has_the_port_and_a_command_where_it_has_none() -> None:
    assert outputs(settings_of(), DEFAULT)["url"] == "http://localhost:12000"
    assert outputs(settings_of(), HostPort(address="0.0.0.0", port=8))["url"] == "http://localhost:8"
    assert outputs(settings_of(), HostPort(address="10.0.0.5", port=8))["url"] == "http://10.0.0.5:8"
    told = outputs(settings_of(hubble={"port": 13000}), None)
    assert "url" not in told, "a page that is not there"
    assert told["command"].endswith("-n kube-system port-forward service/hubble-ui 13000:80"), told
    assert told["relay"].endswith("port-forward service/hubble-relay 4245:80"), told


@pytest.mark.parametrize(
    ("values", "keys", "relay"),
    [
        ({"hubble": {"ui": {"enabled": False}}}, {"why", "relay"}, "4245:80"),
        ({"hubble": {"relay": {"enabled": False}}}, {"why"}, ""),
        ({"hubble": {"enabled": "false"}}, {"why"}, ""),
        ({"hubble": {"ui": {"service": {"type": "ClusterIP"}}}}, {"command", "relay"}, "4245:80"),
        ({"hubble": {"ui": {"service": {"nodePort": 31999}}}}, {"command", "relay"}, "4245:80"),
        ({"hubble": {"ui": {"service": {"nodePort": "31235"}}}}, {"url", "relay"}, "4245:80"),
        ({"hubble": {"relay": {"tls": {"server": {"enabled": True}}}}}, {"url", "relay"}, "4245:443"),
    ],
)
def test_what_values_switch_off_is_not_promised(values: dict[str, Any], keys: set[str], relay: str) -> None:
    told = outputs(settings_of(cilium={"values": values}), DEFAULT)
    assert set(told) == keys and told.get("relay", "").endswith(relay), told


def test_with_flannel_there_is_no_hubble_to_reach() -> None:
    assert reached(parse({"cni": "flannel"}), DEFAULT, {}) == {"why": "Hubble comes with Cilium"}
