"""The pure functions: Helm values, Flannel's and kube-proxy's files, the residue table, what preflight must see."""

from __future__ import annotations

import json

import pulumi
import yaml

from components.cni.choice import digest, requirements
from components.cni.cilium import ChartSource, chart_source, cilium_values
from components.cni.flannel import flannel_files
from components.cni.kube_proxy import kube_proxy_files
from settings import Settings, parse
from settings.kind import api_host
from steps.residue import render, residue

VALUES = cilium_values("10.244.0.0/16", "c-control-plane", 6443, {})


def test_cilium_routes_natively_and_replaces_kube_proxy() -> None:
    assert VALUES["routingMode"] == "native" and VALUES["autoDirectNodeRoutes"] is True
    assert VALUES["ipv4NativeRoutingCIDR"] == "10.244.0.0/16", "traffic between Pods would be masqueraded"
    assert VALUES["kubeProxyReplacement"] is True and VALUES["bpf"]["masquerade"] is True
    assert VALUES["ipam"] == {"mode": "kubernetes"}, "Pods would get addresses of another range than Flannel's"
    assert (VALUES["k8sServiceHost"], VALUES["k8sServicePort"]) == ("c-control-plane", 6443), (
        "without kube-proxy the agent would loop on 10.96.0.1 (cilium#35440)"
    )


def test_a_stack_can_override_any_value_and_the_rest_stays() -> None:
    values = cilium_values("10.244.0.0/16", "h", 6443, {"bpf": {"hostLegacyRouting": False}, "routingMode": "tunnel"})
    assert values["routingMode"] == "tunnel" and values["bpf"] == {"masquerade": True, "hostLegacyRouting": False}


def test_a_chart_named_by_a_path_needs_no_repository() -> None:
    assert chart_source("/charts/cilium", "https://r", "1.0.0") == ChartSource(chart="/charts/cilium")
    assert chart_source("cilium", "https://r", "v1.0.0").version == "1.0.0", "the repository has no leading v"


def test_a_chart_with_an_address_of_its_own_keeps_its_version() -> None:
    for chart in ("oci://quay.io/cilium/charts/cilium", "cilium/cilium"):
        assert chart_source(chart, "https://r", "v1.18.3") == ChartSource(chart=chart, version="1.18.3"), (
            "the newest would be installed, and a later up would upgrade by itself"
        )


def test_several_control_planes_are_reached_through_kinds_load_balancer() -> None:
    assert api_host("c", 1) == "c-control-plane"
    assert api_host("c", 3) == "c-external-load-balancer", "the CNI would lose the API with one control plane"


def test_flannel_uses_vxlan_over_the_cluster_s_pod_subnet() -> None:
    net = json.loads(flannel_files("10.5.0.0/16")["net-conf.json"])
    assert net["Network"] == "10.5.0.0/16" and net["Backend"] == {"Type": "vxlan", "Port": 8472}
    conflist = json.loads(flannel_files("10.5.0.0/16")["cni-conf.json"])
    assert [plugin["type"] for plugin in conflist["plugins"]] == ["flannel", "portmap"]


def test_kube_proxy_reaches_the_api_by_its_address() -> None:
    kubeconfig = yaml.safe_load(kube_proxy_files("c-control-plane:6443", "10.5.0.0/16")["kubeconfig.conf"])
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://c-control-plane:6443", (
        "it would wait for the ClusterIP that only it can serve"
    )


def test_what_preflight_looks_for_is_what_will_be_deployed() -> None:
    flannel = requirements(parse({"cni": "flannel"}))
    assert len(flannel.images) == 5 and not flannel.chart
    cilium = requirements(parse({"cni": "cilium", "cilium": {"values": {"debug": {"enabled": True}}}}))
    assert cilium.chart and cilium.chart.chart == "cilium"
    assert json.loads(cilium.values_json)["debug"] == {"enabled": True}, (
        "an image that an override adds would be missing only after Flannel is gone"
    )


def test_the_digest_changes_with_whatever_shapes_the_network() -> None:
    def of(settings: Settings) -> pulumi.Input[str]:
        return digest(settings, requirements(settings))

    plain = of(parse({"cni": "cilium"}))
    assert plain == of(parse({"cni": "cilium"})), "every up would measure again"
    assert plain != of(parse({"cni": "cilium", "cilium": {"values": {"routingMode": "tunnel"}}})), (
        "an old verdict would stand for a new configuration"
    )


def test_the_residue_table_has_what_both_cnis_are_known_to_leave() -> None:
    rows = {(row.kind, row.what) for row in residue("10.244.0.0/16")}
    for row in [
        ("link", "cni0"),
        ("link", "flannel.1"),
        ("link", "cilium_*"),
        ("link", "lxc*"),
        ("path", "/etc/cni/net.d/10-flannel.conflist"),
        ("path", "/etc/cni/net.d/05-cilium.conflist"),
        ("path", "/etc/cni/net.d/10-flannel.conflist.cilium_bak"),
        ("path", "/sys/fs/bpf/tc/globals/cilium_*"),
        ("path", "/run/flannel"),
        ("path", "/var/lib/cni/networks"),
        ("chains", "FLANNEL-"),
        ("chains", "KUBE-"),
        ("chains", "CILIUM_"),
        ("path", "/sys/fs/bpf/cilium"),
        ("path", "/etc/sysctl.d/99-zzz-override_cilium.conf"),
        ("routes", "10.244.0.0/16"),
    ]:
        assert row in rows, f"{row} would stay on the node; a cni0 left behind cost the article's author a day"


def test_a_row_names_nothing_that_somebody_else_may_have_made() -> None:
    rows = {row.what for row in residue("10.244.0.0/16") if row.kind == "path"}
    assert "/etc/cni/net.d/*.cilium_bak" not in rows, "another tool's configuration that Cilium renamed would be lost"
    assert not {"/sys/fs/bpf/tc", "/sys/fs/bpf", "/sys/fs/bpf/tc/globals"} & rows, "other tools' pins would go"


def test_pods_interfaces_go_before_the_bridge_that_holds_them() -> None:
    order = [row.what for row in residue("10.244.0.0/16")]
    assert order.index("veth*") < order.index("cni0")
    assert order.index("/run/cilium/cgroupv2") < order.index("/run/cilium"), "a mounted folder cannot be removed"


def test_the_table_is_a_row_a_line_and_says_why_for_each() -> None:
    rows = residue("10.244.0.0/16")
    assert render(rows).splitlines() == [f"{row.kind} {row.what}" for row in rows]
    assert all(row.why for row in rows)
