"""The verdict's two halves in awk: what tcpdump saw, and whether that is what the CNI promises."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "components" / "scripts"
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


def awk(script: str, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    flags = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    return subprocess.run(
        ["awk", *flags, "-f", str(SCRIPTS / script)], input=text, capture_output=True, text=True, check=False
    )


def wire(text: str) -> str:
    return awk("wire.awk", text, **{"from": "a", "to": "b", "source": "10.244.1.3"}).stdout.strip()


def verdict(cni: str, *lines: str) -> subprocess.CompletedProcess[str]:
    return awk("verdict.awk", "".join(line + "\n" for line in lines), cni=cni, packets="5")


GOOD_CILIUM = (
    "pair a b 5 84 none",
    "pair b a 5 84 none",
    "services true",
    "dns true",
    "routing native",
    "kubeProxyReplacement true",
    "masquerading bpf",
)


def test_a_bare_ping_is_84_bytes_and_no_encapsulation() -> None:
    assert wire(BARE * 5) == "pair a b 5 84 none"


def test_a_ping_in_vxlan_is_134_bytes_counted_on_the_outside() -> None:
    assert wire(VXLAN * 5) == "pair a b 5 134 vxlan", "the inner length would hide the 50 bytes of the tunnel"


def test_pings_of_other_pods_are_not_counted() -> None:
    assert wire(BARE.replace("10.244.1.3 >", "10.244.9.9 >")) == "pair a b 0 - -"


def test_a_pair_on_two_paths_shows_both() -> None:
    assert wire(BARE + VXLAN).split()[3] == "2" and "," in wire(BARE + VXLAN), "half a migration would look whole"


def test_a_good_measurement_is_an_object_with_all_its_fields() -> None:
    result = json.loads(verdict("cilium", *GOOD_CILIUM).stdout)
    assert result["ok"] is True and result["encapsulation"] == "none" and result["routing"] == "native"
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (84, 0)
    assert result["kubeProxyReplacement"] is True and result["services"] is True and result["dns"] is True
    assert result["pairs"][0] == {
        "from": "a",
        "to": "b",
        "packets": 5,
        "icmpWireBytes": 84,
        "encapsulation": "none",
    }


def test_vxlan_where_native_was_asked_for_fails_and_says_both() -> None:
    bad = verdict("cilium", "pair a b 5 134 vxlan", *GOOD_CILIUM[1:])
    assert bad.returncode == 1 and bad.stdout == "", "up would end well on the network that it was to replace"
    assert "encapsulation none expected, vxlan,none found" in bad.stderr
    assert "icmpWireBytes 84 expected, 134,84 found" in bad.stderr


def test_each_thing_that_is_measured_can_fail_the_verdict() -> None:
    for index, line in enumerate(GOOD_CILIUM[2:], start=2):
        key = line.split()[0]
        lines = [*GOOD_CILIUM[:index], f"{key} other", *GOOD_CILIUM[index + 1 :]]
        assert verdict("cilium", *lines).returncode == 1, f"nobody would learn that {key} is wrong"
        without = [*GOOD_CILIUM[:index], *GOOD_CILIUM[index + 1 :]]
        assert f"{key} " in verdict("cilium", *without).stderr, f"a {key} that was not measured would pass"


def test_lost_packets_fail_the_verdict_with_the_pair() -> None:
    bad = verdict("cilium", "pair a b 3 84 none", *GOOD_CILIUM[1:])
    assert bad.returncode == 1 and "a to b: 3 of 5 pings arrived" in bad.stderr


def test_the_reason_of_a_failed_service_is_in_the_sentence() -> None:
    bad = verdict("cilium", *GOOD_CILIUM[:2], "services false", "why curl: timed out", *GOOD_CILIUM[3:])
    assert "curl: timed out" in bad.stderr, "the user would have to measure again by hand"


def test_flannel_promises_vxlan_and_kube_proxy() -> None:
    good = verdict(
        "flannel",
        "pair a b 5 134 vxlan",
        "services true",
        "dns true",
        "routing vxlan",
        "kubeProxyReplacement false",
        "masquerading iptables",
    )
    assert json.loads(good.stdout)["overheadBytes"] == 50, good.stderr
