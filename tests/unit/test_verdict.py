"""The verdict's two halves: what tcpdump saw, and whether that is what the CNI promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steps.findings.verdict import Measured, Pair, Reach, Status, Verdict, judge, promise_of
from steps.findings.wire import pair_of

# As tcpdump -nn -v prints them: on the wire bare, and in a VXLAN packet on Linux's port 8472.
BARE = """\
12:00:00.000001 IP (tos 0x0, ttl 62, id 7, offset 0, flags [DF], proto ICMP (1), length 84)
    10.244.1.3 > 10.244.2.4: ICMP echo request, id 1, seq 1, length 64
"""
VXLAN = """\
12:00:00.000001 IP (tos 0x0, ttl 64, id 7, offset 0, flags [none], proto UDP (17), length 134)
    172.18.0.3.40000 > 172.18.0.2.8472: OTV, flags [I] (0x08), overlay 0, instance 1
IP (tos 0x0, ttl 63, id 8, offset 0, flags [DF], proto ICMP (1), length 84)
    10.244.1.3 > 10.244.2.4: ICMP echo request, id 1, seq 1, length 64
"""


def wire(text: str) -> Pair:
    return pair_of(text, from_node="a", to_node="b", source="10.244.1.3")


def pair(
    packets: int, lengths: tuple[int, ...], *encapsulations: str, from_node: str = "a", to_node: str = "b"
) -> Pair:
    return Pair(
        from_node=from_node, to_node=to_node, packets=packets, lengths=lengths, encapsulations=tuple(encapsulations)
    )


def verdict(cni: str, measured: Measured) -> Verdict:
    return judge(cni, measured, 5)


BACK = pair(5, (84,), "none", from_node="b", to_node="a")
REACH = Reach(where="a", services=True, dns=True, why="")
STATUS = Status(node="a", routing="native", kube_proxy_replacement=True, masquerading="bpf")
GOOD_CILIUM = Measured(pairs=(pair(5, (84,), "none"), BACK), reaches=(REACH,), statuses=(STATUS,))


def test_a_bare_ping_is_84_bytes_and_no_encapsulation() -> None:
    assert wire(BARE * 5) == pair(5, (84,), "none")


def test_a_ping_in_vxlan_is_134_bytes_counted_on_the_outside() -> None:
    assert wire(VXLAN * 5) == pair(5, (134,), "vxlan"), "the inner length would hide the 50 bytes of the tunnel"


def test_pings_of_other_pods_are_not_counted() -> None:
    assert wire(BARE.replace("10.244.1.3 >", "10.244.9.9 >")) == pair(0, ())


def test_a_pair_on_two_paths_shows_both() -> None:
    assert wire(BARE + VXLAN) == pair(2, (84, 134), "none", "vxlan"), "half a migration would look whole"
    shown = verdict("cilium", replace(GOOD_CILIUM, pairs=(wire(BARE + VXLAN),))).as_json()["pairs"][0]
    assert (shown["icmpWireBytes"], shown["encapsulation"]) == ("84,134", "none,vxlan")


def test_the_ports_of_the_tunnels_tell_them_apart() -> None:
    for port, tunnel in (("4789", "vxlan"), ("6081", "geneve")):
        assert wire(VXLAN.replace("8472", port)).encapsulations == (tunnel,)


def test_a_good_measurement_is_an_object_with_all_its_fields() -> None:
    result = verdict("cilium", GOOD_CILIUM).as_json()
    assert result["ok"] is True and result["encapsulation"] == "none" and result["routing"] == "native"
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (84, 0)
    assert result["kubeProxyReplacement"] is True and result["services"] is True and result["dns"] is True
    assert result["pairs"][0] == {
        "from": "a",
        "to": "b",
        "packets": 5,
        "icmpWireBytes": 84,
        "encapsulation": "none",
        "reach": None,
    }
    assert list(result) == [
        *("ok", "cni", "encapsulation", "icmpWireBytes", "overheadBytes", "routing", "masquerading"),
        *("kubeProxyReplacement", "services", "dns", "pairs"),
    ]


def test_vxlan_where_native_was_asked_for_fails_and_says_both() -> None:
    bad = verdict("cilium", replace(GOOD_CILIUM, pairs=(pair(5, (134,), "vxlan"), BACK)))
    assert bad.ok is False and bad.as_json()["ok"] is False, "up would end well on the network that it was to replace"
    assert bad.why.startswith("the network is not what cni=cilium promises: encapsulation none expected, ")
    assert "encapsulation none expected, vxlan,none found" in bad.why
    assert "icmpWireBytes 84 expected, 134,84 found" in bad.why


def test_each_thing_that_is_measured_can_fail_the_verdict() -> None:
    other = {
        "services": replace(GOOD_CILIUM, reaches=(replace(REACH, services=False),)),
        "dns": replace(GOOD_CILIUM, reaches=(replace(REACH, dns=False),)),
        "routing": replace(GOOD_CILIUM, statuses=(replace(STATUS, routing="other"),)),
        "kubeProxyReplacement": replace(GOOD_CILIUM, statuses=(replace(STATUS, kube_proxy_replacement=False),)),
        "masquerading": replace(GOOD_CILIUM, statuses=(replace(STATUS, masquerading="other"),)),
    }
    without = {
        "services": replace(GOOD_CILIUM, reaches=()),
        "dns": replace(GOOD_CILIUM, reaches=()),
        "routing": replace(GOOD_CILIUM, statuses=(replace(STATUS, routing=""),)),
        "kubeProxyReplacement": replace(GOOD_CILIUM, statuses=(replace(STATUS, kube_proxy_replacement=None),)),
        "masquerading": replace(GOOD_CILIUM, statuses=(replace(STATUS, masquerading=""),)),
    }
    for key in other:
        assert verdict("cilium", other[key]).ok is False, f"nobody would learn that {key} is wrong"
        assert f"{key} " in verdict("cilium", without[key]).why, f"a {key} that was not measured would pass"


def test_what_was_not_measured_is_said_to_be_nothing() -> None:
    why = verdict("cilium", Measured(pairs=(), reaches=(), statuses=())).why
    assert why.count("nothing found") == 7, "a measurement that did not take place would pass"
    none = verdict("cilium", replace(GOOD_CILIUM, pairs=(wire(""), BACK))).why
    assert "encapsulation none expected, -,none found" in none and "a to b: 0 of 5 pings arrived" in none


def test_a_node_that_nobody_serves_services_on_fails_the_verdict() -> None:
    served = Status(node="a", routing="vxlan", kube_proxy_replacement=False, masquerading="iptables")
    statuses = (served, replace(served, node="b", kube_proxy_replacement=None))
    bad = verdict("flannel", Measured(pairs=(pair(5, (134,), "vxlan"),), reaches=(REACH,), statuses=statuses))
    assert "kubeProxyReplacement false expected, false,none found" in bad.why


def test_lost_packets_fail_the_verdict_with_the_pair() -> None:
    bad = verdict("cilium", replace(GOOD_CILIUM, pairs=(pair(3, (84,), "none"), BACK)))
    assert bad.ok is False and "a to b: 3 of 5 pings arrived" in bad.why
    assert bad.why == "the network is not what cni=cilium promises: packets were lost; a to b: 3 of 5 pings arrived"


def test_the_reason_of_a_failed_service_is_in_the_sentence() -> None:
    failed = replace(REACH, services=False, why="curl: timed out")
    bad = verdict("cilium", replace(GOOD_CILIUM, reaches=(failed, REACH)))
    assert "curl: timed out" in bad.why, "the user would have to measure again by hand"
    assert bad.why.endswith("services true expected, false,true found; curl: timed out")


def test_flannel_promises_vxlan_and_kube_proxy() -> None:
    status = Status(node="a", routing="vxlan", kube_proxy_replacement=False, masquerading="iptables")
    good = verdict("flannel", Measured(pairs=(pair(5, (134,), "vxlan"),), reaches=(REACH,), statuses=(status,)))
    assert good.ok and good.as_json()["overheadBytes"] == 50, good.why


def test_a_cni_that_nobody_knows_promises_nothing() -> None:
    with pytest.raises(ValueError, match="calico"):
        promise_of("calico")
