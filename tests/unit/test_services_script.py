"""When kube-proxy serves on a node: services.sh with stand-ins for what each of its modes writes."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from unit.handover_world import path_with, run

NOTHING = {"iptables-save": "exit 1", "nft": "exit 1", "ip": "exit 1", "kubectl": "echo 10.96.0.1"}
RULE = "-A KUBE-SERVICES -d {}/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y"


def asked(folder: Path, **tools: str) -> CompletedProcess[str]:
    return run("services", PATH=path_with(folder, **{**NOTHING, **tools}), SECONDS_MAX="0")


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        ("iptables-save", RULE.format("10.96.0.1")),
        ("nft", "elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }"),
        ("ip", "9: kube-ipvs0 inet 10.96.0.1/32 scope global kube-ipvs0"),
    ],
)
def test_rules_of_each_mode_are_known(tmp_path: Path, tool: str, says: str) -> None:
    done = asked(tmp_path, **{tool: f"echo '{says}'"})
    assert done.returncode == 0, f"a node would never move back: {done.stderr}"


@pytest.mark.parametrize("says", ["", RULE.format("10.96.0.10"), "-A KUBE-SERVICES -j KUBE-NODEPORTS"])
def test_without_the_api_s_rules_nothing_is_served_yet(tmp_path: Path, says: str) -> None:
    done = asked(tmp_path, **{"iptables-save": f"echo '{says}'"})
    assert done.returncode != 0 and "has not written its rules" in done.stderr, (
        "Cilium's programs would go before anybody else serves, and what is sent to Services leave the cluster"
    )


def test_a_tool_that_is_broken_is_told(tmp_path: Path) -> None:
    done = asked(tmp_path, **{"iptables-save": "echo 'it has no library' >&2; exit 127"})
    assert "it has no library" in done.stderr, "kube-proxy would be blamed"


@pytest.mark.parametrize("answer", ["exit 1", "true"])
def test_an_api_that_does_not_say_its_address_is_no_kube_proxy_that_serves(tmp_path: Path, answer: str) -> None:
    rules = {"iptables-save": f"echo '{RULE.format('10.96.0.1')}'"}
    assert asked(tmp_path, kubectl=answer, **rules).returncode != 0, "any rule would pass for that of its Service"
