"""What a change of CNI under running Pods goes by: who runs on a node, what Cilium is told, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.cni.flannel import flannel_files
from settings.stack import parse
from steps.doors.node import whole
from steps.findings.agent_answers import Endpoint, answer_from, answers_from, endpoints_from
from steps.findings.live_values import unfit_config, unfit_values
from steps.findings.tenants import (
    Sandbox,
    Tenant,
    delegate,
    devices_from,
    endpoint,
    gateway_of,
    health_of,
    sandboxes_from,
    strangers,
    tenants_from,
)
from steps.preflight_live import obstacles
from steps.residue import handed_over, plugin_calls, render, residue, without_devices
from steps.running import StepError

SANDBOX = Sandbox(id="abc", pid=7, namespace="default", name="bare", uid="u")
POD = Tenant(sandbox=SANDBOX, index=5, mac="aa:bb", address="10.244.1.254")


@pytest.mark.parametrize("cni", ["cilium", "flannel"])
def test_live_leads_both_ways_and_needs_no_second_worker(cni: str) -> None:
    asked = {"migration": {"strategy": "live", "pauseAfter": 1}, "cluster": {"workers": 1}}
    strategy = parse({"cni": cni, **asked}).migration.strategy
    assert strategy.keeps_pods, f"who asks for live on the way to {cni} would lose Pods"
    assert not strategy.drains, "one worker would not be enough"


def test_sandboxes_are_read_one_after_the_other() -> None:
    item = {
        "status": {"id": "abc", "metadata": {"namespace": "default", "name": "bare", "uid": "u"}},
        "info": {"pid": 7},
    }
    assert sandboxes_from(json.dumps(item) + "\n" + json.dumps(item)) == [SANDBOX, SANDBOX], "a Pod would be forgotten"
    assert sandboxes_from(json.dumps([item, item])) == [SANDBOX, SANDBOX], "newer runtimes' Pods would stop each move"
    with pytest.raises(StepError):
        sandboxes_from(json.dumps(item)[:-4])


def test_a_pod_without_an_address_is_no_pod_to_hand_over() -> None:
    assert tenants_from([SANDBOX], "abc 5 aa:bb 10.244.1.254\n") == [POD]
    with pytest.raises(StepError):
        tenants_from([SANDBOX], "abc 5 aa:bb\n")
    with pytest.raises(StepError, match="default/bare has no eth0, so no CNI can take it over; delete the Pod"):
        tenants_from([SANDBOX], "abc ? has no eth0\n")


def test_a_port_of_the_bridge_that_is_no_pods_is_named() -> None:
    devices = devices_from("5 veth1 aa:bb\n6 veth2 cc:dd\n")
    assert strangers(devices, [POD]) == ["veth2"], "a Pod that has just started would lose its network"


def test_the_router_has_the_bridges_address_and_the_health_endpoint_no_pods() -> None:
    assert gateway_of("10.244.1.0/24") == "10.244.1.1", "Pods that run would have no gateway"
    assert health_of("10.244.1.0/24", [POD]) == "10.244.1.253", "the agent would take a running Pod's address"


def test_the_agent_is_told_what_its_plugin_would_tell() -> None:
    told = endpoint(POD, "lxc1", "cc:dd")
    assert told["datapath-configuration"]["require-egress-prog"] is True, "connections on the node would be reset"
    assert (told["addressing"]["ipv4"], told["interface-index"]) == ("10.244.1.254", 5)
    assert len(POD.device) == 15, "the kernel takes no longer name"


def test_an_answer_that_is_none_is_not_taken_for_one() -> None:
    assert answer_from("HTTP/1.0 201 Created\r\n\r\n{}") == (201, "{}")
    with pytest.raises(StepError):
        answer_from("")
    both = "SFRUUC8xLjAgMjAxIENyZWF0ZWQNCg0Ke30=\n\n"
    assert answers_from(both) == [(201, "{}"), (0, "no answer")], "a Pod's answer would be taken for another's"
    with pytest.raises(StepError):
        answers_from("HTTP/1.0 201 Created\n")
    status = {"state": "ready", "external-identifiers": {"container-id": "abc"}}
    assert endpoints_from(json.dumps([{"status": status}])) == {"abc": Endpoint(state="ready", policed=False)}
    held = {**status, "policy": {"realized": {"policy-enabled": "ingress"}}}
    assert endpoints_from(json.dumps([{"status": held}]))["abc"].policed, "a wall would be taken for a dead Pod"


def test_what_belongs_to_running_pods_is_no_residue() -> None:
    whats = {row.what for row in handed_over()}
    assert not whats & {"veth*", "lxc*"}, "the veth of a running Pod would be deleted"
    assert "CNI-" in whats, "host ports of Pods that were deleted before would be mapped for ever"


def test_of_cilium_all_but_the_pods_devices_and_the_filter_goes_before_they_are_in_the_bridge() -> None:
    early, all_of_it = without_devices("10.244.0.0/16"), residue("10.244.0.0/16", ("cilium",))
    kinds = {row.kind for row in early}
    assert "link" not in kinds, "the veths of Pods that run would be deleted, and their gateway with cilium_host"
    assert "sysctls" not in kinds, "a strict filter would drop what Pods send while they go over"
    late = {row for row in all_of_it if row not in early}
    assert {row.kind for row in late} == {"link", "sysctls"}, "Flannel would come up among rules of Cilium's"
    assert {"lxc*", "hot[0-9]*", "cilium_*", "rp_filter"} == {row.what for row in late}, "a row would never be removed"


def test_only_the_calls_of_the_plugin_that_goes_are_ended() -> None:
    calls = {cni: render(plugin_calls(cni)) for cni in ("flannel", "cilium")}
    assert calls == {"flannel": "process flannel\n", "cilium": "process cilium-cni\n"}, (
        "a call that is under way would make a network behind the look, or more than calls be taken from running Pods"
    )


def test_flannel_s_plugin_finds_what_it_needs_to_let_a_pod_go() -> None:
    told = delegate("10.244.1.0/24", "10.244.0.0/16", 1450)
    conflist = json.loads(flannel_files("10.244.0.0/16")["cni-conf.json"])
    where = whole("flannel_files")
    assert f"/var/lib/cni/networks/{told['name']}\n" in where, "host-local would look for the address in another folder"
    assert (told["name"], told["cniVersion"]) == (conflist["name"], conflist["cniVersion"]), (
        "the DEL would be another's"
    )
    ipam = told["ipam"]
    assert (ipam["type"], ipam["subnet"]) == ("host-local", "10.244.1.0/24"), "each DEL would fail, and the Pod not go"
    assert ipam["routes"] == [{"dst": "10.244.0.0/16"}], "it would not be what Flannel's plugin has told"
    assert told["type"] == "bridge", "no plugin would be called, and the veth stay"
    assert told.items() >= conflist["plugins"][0]["delegate"].items(), "it would not be the bridge that Flannel makes"
    assert (told["ipMasq"], told["mtu"]) == (False, 1450), "a DEL would take away rules that were never made"


def test_values_that_break_open_connections_are_named() -> None:
    assert unfit_values({"gatewayAPI": {"enabled": True}}), "open connections to Services would break"
    assert unfit_values({"gatewayAPI": {"enabled": False}, "socketLB": "x"}) == []


def test_preflight_names_what_would_not_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"kernelVersion": "5.15.0", "containerRuntimeVersion": "cri-o://1"}
    pod = {
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"nodeName": "n", "containers": [{"ports": [{"hostPort": 80}]}]},
        "status": {"podIP": "10.244.1.9"},
    }
    first = {
        "metadata": {"namespace": "default", "name": "first"},
        "spec": {"nodeName": "n"},
        "status": {"podIP": "10.244.1.1"},
    }
    lists = {
        "nodes": [
            {
                "metadata": {"name": "n"},
                "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]},
                "status": {"nodeInfo": info},
            }
        ],
        "pods": [pod, first],
        "services": [
            {"metadata": {"namespace": "default", "name": "web"}, "spec": {"type": "NodePort"}},
            {"metadata": {"namespace": "default", "name": "outer"}, "spec": {"externalIPs": ["192.0.2.1"]}},
            {"metadata": {"namespace": "default", "name": "inner"}, "spec": {"type": "ClusterIP"}},
            {"metadata": {"namespace": "cni-migration", "name": "traffic-outside"}, "spec": {"type": "NodePort"}},
        ],
    }
    told = {"tools": "conntrack\n"}

    class Api:
        def objects(self, kind: str, **_: str) -> list[object]:
            return list(lists[kind])

    def on_node(_: str, script: str) -> str:
        return told[script]

    def strange(_: str) -> list[str]:
        assert not told["tools"], "where a tool is missing, there is no answer"
        return ["default/vpn has no eth0"]

    monkeypatch.setattr("steps.preflight_live.on_node", on_node)
    monkeypatch.setattr("steps.preflight_live.strange_pods_of", strange)
    api: Any = Api()
    found = "\n".join(obstacles(api, "{}", accepted=False))
    for word in (
        "older than 6.2",
        "not containerd",
        "no conntrack",
        "default/web has the host port 80",
        "is a NodePort",
        "default/outer has external IPs",
        "default/first has the address 10.244.1.1, which is that of Flannel's bridge",
    ):
        assert word in found, f"a user would lose connections and was not told: {word}"
    told["tools"] = ""
    accepted = "\n".join(obstacles(api, "{}", accepted=True))
    assert "NodePort" not in accepted and "external" not in accepted, "who accepted it could not go on"
    assert "n: default/vpn has no eth0" in accepted, "its node would stop in the middle of the migration"
    assert "inner" not in found, "a Service that breaks nothing would be in the way"
    assert "traffic-outside" not in found, "who wants to be told what breaks would be told to give up"
    meddling = '{"operator": {"setNodeTaints": true, "unmanagedPodWatcher": {"restart": false}}}'
    lines = [line for line in obstacles(api, meddling, accepted=True) if "operator" in line]
    assert len(lines) == 1 and "operator.setNodeTaints true taints nodes" in lines[0], "Pods would be kept off"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"socketLB": {"hostNamespaceOnly": "true"}}, "socketLB.hostNamespaceOnly breaks"),
        ({"bpf": {"hostLegacyRouting": False}}, "bpf.hostLegacyRouting was not tried"),
        ({"bpf": {"datapathMode": "netkit"}}, "bpf.datapathMode was not tried"),
    ],
)
def test_a_value_that_pods_do_not_survive_is_named_however_it_is_written(values: dict[str, Any], named: str) -> None:
    assert [line for line in unfit_values(values) if named in line], "connections would break, and nobody had said so"
    assert unfit_values({"bpf": {"hostLegacyRouting": True, "masquerade": True}}) == [], "nobody could use live"


def test_what_the_cilium_that_is_to_go_was_given_is_looked_at_as_well() -> None:
    assert unfit_config({"enable-gateway-api": "true"}) == [
        "enable-gateway-api: true of the Cilium that runs breaks connections to Services that are open"
    ], "the way back would break what the way there was kept from breaking"
    fit = {"enable-host-legacy-routing": "true", "enable-ipv6": "false", "enable-bpf-masquerade": "true"}
    assert unfit_config(fit) == [], "a cluster of this project's could not go back"
