"""The verification's pure parts, and its scripts run for real with fakes of the tools that they call."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steps.capture import gathered, parse_sent
from steps.cni_settled import await_settled, states_from
from steps.cni_status import cilium_status
from steps.complete import NETWORKS, Failed, attempt, basis, incomplete, sentence, told
from steps.doors.kubectl import Kubectl, Object
from steps.doors.probe import Probe, probes_from
from steps.doors.process import ToolError
from steps.findings.verdict import Measured, Reach, Status, judge
from steps.findings.wire import Pair
from steps.reach import domain_from, parse_reach
from steps.running import StepError
from steps.verify import CHART, Needs, of_the_chart, verify

STEPS = Path(__file__).parents[2] / "steps"
NODES = ("a", "b", "c")
API = "10.96.0.1"
PODS = {
    node: Probe(app="probe", node=node, pod=f"probe-{node}", address=f"10.244.{n}.2") for n, node in enumerate(NODES)
}
PAIRS = [(one, other) for one in NODES for other in NODES if one != other]
ALL_ANSWERED = dict.fromkeys(PAIRS, 5)
LISTEN = {"COUNT": "5", "SECONDS_MAX": "5"}
BARE = """\
12:00:00.000001 IP (tos 0x0, ttl 62, id 7, offset 0, flags [DF], proto ICMP (1), length 84)
    10.244.1.2 > 10.244.0.2: ICMP echo request, id 1, seq 1, length 64
"""


def whole() -> Measured:
    return Measured(
        pairs=[
            Pair(from_node=one, to_node=other, packets=5, lengths=(84,), encapsulations=("none",))
            for one, other in PAIRS
        ],
        reaches=[
            Reach(where=f"{node} {app}", services=True, dns=True, why="", pods=dict.fromkeys(NODES, True))
            for node in NODES
            for app in NETWORKS
        ],
        statuses=[
            Status(node=node, routing="native", kube_proxy_replacement=True, masquerading="bpf") for node in NODES
        ],
    )


def missing(
    measured: Measured,
    answered: Mapping[tuple[str, str], int] = ALL_ANSWERED,
    reasons: Mapping[str, str] | None = None,
) -> list[str]:
    return incomplete(NODES, measured, answered=answered, pings=5, reasons=reasons or {})


def test_a_whole_measurement_misses_nothing() -> None:
    assert missing(whole()) == [], "a right network would fail the up"
    assert sentence(judge("cilium", whole(), 5), []) == ""


def test_a_probe_without_an_answer_fails_with_its_node_and_the_reason() -> None:
    full = whole()
    for reach in full.reaches:
        part = Measured(
            pairs=full.pairs, reaches=[other for other in full.reaches if other is not reach], statuses=full.statuses
        )
        verdict = judge("cilium", part, 5)
        node, app = reach.where.split()
        found = missing(part, reasons={reach.where: "exec: i/o timeout"})
        assert found == [f"{node}: the probe gave no answer: {app}: exec: i/o timeout"]
        assert found[0] in sentence(verdict, found), f"services and dns would be true though nobody asked on {node}"


def test_an_agent_without_an_answer_fails_with_its_node_and_the_reason() -> None:
    full = whole()
    part = Measured(pairs=full.pairs, reaches=full.reaches, statuses=full.statuses[:1])
    found = missing(part, reasons={"b": "no agent of a CNI runs there"})
    assert found == [
        "b: the CNI gave no answer: no agent of a CNI runs there",
        "c: the CNI gave no answer: it was not asked",
    ], "one agent of three would speak for the others"
    assert sentence(judge("cilium", part, 5), found).startswith("the network is not what cni=cilium promises: ")


def test_a_pair_that_nobody_captured_fails_with_both_nodes() -> None:
    full = whole()
    part = Measured(pairs=full.pairs[1:], reaches=full.reaches, statuses=full.statuses)
    assert missing(part) == ["a to b: nothing was captured"], "a tunnel between two nodes could stay unseen"


def test_a_node_of_the_cluster_on_which_no_probe_runs_is_missed() -> None:
    found = incomplete((*NODES, "d"), whole(), answered=ALL_ANSWERED, pings=5, reasons={})
    for words in ("d: the probe gave no answer: probe:", "d: the CNI gave no answer", "a to d: nothing", "d to a: no"):
        assert any(one.startswith(words) for one in found), f"the probes that run would stand for the cluster: {found}"


def test_pings_without_a_reply_fail_though_they_arrived() -> None:
    found = missing(whole(), {**ALL_ANSWERED, ("a", "b"): 3})
    assert found == ["a to b: 3 of 5 pings were answered"], "a way that goes in one direction only would be right"
    assert "packets were lost" in sentence(judge("cilium", whole(), 5), found)


def test_pings_that_nobody_sent_fail() -> None:
    answered = {pair: 5 for pair in PAIRS if pair != ("c", "a")}
    assert missing(whole(), answered) == ["c to a: no pings were sent"]


def test_what_the_verdict_says_stays_in_front_of_what_was_not_measured() -> None:
    told = sentence(judge("flannel", whole(), 5), ["a: the probe gave no answer: probe: x"])
    assert "routing vxlan expected, native found" in told and told.endswith("; a: the probe gave no answer: probe: x")


def test_a_pod_that_nobody_connected_to_fails_with_both_nodes() -> None:
    full = whole()
    reaches = [replace(reach, pods={"a": True, "c": True}) for reach in full.reaches]
    part = Measured(pairs=full.pairs, reaches=reaches, statuses=full.statuses)
    assert missing(part) == ["a to b: no TCP was tried", "c to b: no TCP was tried"]


def test_a_pod_that_is_not_reached_over_tcp_fails_the_verdict_with_the_probe_and_the_node() -> None:
    full = whole()
    reaches = [replace(reach, pods={**reach.pods, "c": reach.where != "a probe-host"}) for reach in full.reaches]
    verdict = judge("cilium", Measured(pairs=full.pairs, reaches=reaches, statuses=full.statuses), 5)
    assert not verdict.ok, "pings that pass would stand for connections that do not"
    assert verdict.why.endswith("not every Pod is reached; a probe-host: no TCP to the Pod on c")
    shown = {(pair["from"], pair["to"]): pair["reach"] for pair in verdict.as_json()["pairs"]}
    assert shown == {pair: pair != ("a", "c") for pair in PAIRS}


def test_the_basis_counts_what_was_asked_and_what_answered() -> None:
    full = whole()
    part = Measured(pairs=full.pairs, reaches=full.reaches[1:], statuses=full.statuses[:1])
    rests_on = basis(NODES, part, answered={**ALL_ANSWERED, ("a", "b"): 4}, pings=5)
    assert rests_on == {
        "pairs": {"asked": 6, "answered": 5},
        "probes": {"asked": 6, "answered": 5},
        "agents": {"asked": 3, "answered": 1},
    }
    assert told(rests_on) == "answered by 5 of 6 pairs, 5 of 6 probes, 1 of 3 agents"


def test_a_measurement_that_fails_is_named_and_another_mistake_is_not_hidden() -> None:
    def fails() -> str:
        raise ToolError("kubectl gave no answer within 60 s")

    assert attempt(fails)() == Failed(why="kubectl gave no answer within 60 s")
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 / 0)()


def test_the_probes_lines_are_read_strictly() -> None:
    good = parse_reach("a", "probe", "services true\ndns false\nwhy resolve: nothing\n", {})
    assert (good.where, good.services, good.dns, good.why) == ("a probe", True, False, "a (probe): resolve: nothing")
    for bad in ("", "services true\n", "services true\ndns yes\n", "services true\ndns true\nbash: dig: not found\n"):
        with pytest.raises(StepError):
            parse_reach("a", "probe", bad, {})
    with pytest.raises(StepError, match="no finding"):
        parse_reach("a", "probe", "services true\ndns true\ndns true\n", {})
    pods = {"10.244.0.2:80": "a", "10.244.1.2:80": "b"}
    both = "services true\ndns true\npod 10.244.1.2:80 false\nwhy connect 10.244.1.2:80: x\n"
    with pytest.raises(StepError, match=r"nothing of pod 10\.244\.0\.2:80"):
        parse_reach("a", "probe", both, pods)
    assert parse_reach("a", "probe", f"pod 10.244.0.2:80 true\n{both}", pods).pods == {"a": True, "b": False}
    with pytest.raises(StepError, match="no finding"):
        parse_reach("a", "probe", f"pod 10.244.9.2:80 true\n{both}", pods)


def test_the_count_of_replies_is_read_strictly() -> None:
    assert parse_sent("10.0.0.1 5 5\n10.0.0.2 5 0\n", ["10.0.0.1", "10.0.0.2"], 5) == {"10.0.0.1": 5, "10.0.0.2": 0}
    for bad in ("", "10.0.0.1 5 5 5\n", "10.0.0.1 4 4\n", "10.0.0.9 5 5\n", "10.0.0.1 5 5\n10.0.0.1 5 5\n", "x\n"):
        with pytest.raises(StepError):
            parse_sent(bad, ["10.0.0.1"], 5)


def test_captures_and_replies_become_pairs_of_nodes() -> None:
    sent = {"a": {PODS["b"].address: 5, PODS["c"].address: 4}, "b": Failed(why="gone"), "c": {}}
    found = gathered(PODS, sent, {"a": BARE * 5, "b": Failed(why="i/o timeout"), "c": ""})
    assert found.answered == {("a", "b"): 5, ("a", "c"): 4}
    assert {(pair.from_node, pair.to_node): pair.packets for pair in found.pairs} == {
        ("b", "a"): 5,
        ("c", "a"): 0,
        ("a", "c"): 0,
        ("b", "c"): 0,
    }
    assert list(found.failed) == ["b: the capture gave no answer: i/o timeout", "b: the probe gave no answer: gone"]


def test_only_probes_that_run_and_stay_are_asked() -> None:
    def pod(node: str, phase: str = "Running", **metadata: str) -> dict[str, object]:
        return {
            "metadata": {"name": f"probe-{node}", **metadata},
            "spec": {"nodeName": node},
            "status": {"phase": phase, "podIP": "10.244.0.2"},
        }

    items = [pod("a"), pod("b", "Pending"), pod("c", deletionTimestamp="2026-01-01T00:00:00Z")]
    assert list(probes_from("probe", items)) == ["a"], "a Pod that goes away would be asked, and miss its answer"


def test_cilium_says_what_it_does_in_the_words_of_its_text() -> None:
    said: dict[str, dict[str, object]] = {
        "kube-proxy-replacement": {"mode": "True"},
        "routing": {"inter-host-routing-mode": "Native", "intra-host-routing-mode": "BPF", "tunnel-protocol": "vxlan"},
        "masquerading": {"enabled": True, "enabledProtocols": {"ipv4": True}, "mode": "BPF"},
    }
    assert cilium_status("a", json.dumps(said)) == Status(
        node="a", routing="native", kube_proxy_replacement=True, masquerading="bpf"
    )
    off: dict[str, dict[str, object]] = {
        **said,
        "masquerading": {"enabledProtocols": {}},
        "routing": {"inter-host-routing-mode": "Tunnel"},
    }
    assert cilium_status("a", json.dumps(off)).masquerading == "disabled"
    assert cilium_status("a", json.dumps(off)).routing == "tunnel"
    for key in said:
        with pytest.raises(StepError, match="cannot be read"):
            cilium_status("a", json.dumps({name: part for name, part in said.items() if name != key}))
    with pytest.raises(StepError):
        cilium_status("a", "Error: cannot reach the agent")


def test_endpoints_are_read_with_their_states() -> None:
    assert states_from('[{"id": 1, "status": {"state": "ready"}}, {"status": {"state": "regenerating"}}]') == [
        "ready",
        "regenerating",
    ]
    assert states_from("null") == []
    with pytest.raises(StepError):
        states_from("Error: timeout")


def test_of_one_node_the_agent_s_programs_are_waited_for_and_no_other_s() -> None:
    states, asked = ["regenerating", "ready"], list[str]()

    class Api(Kubectl):
        def objects(
            self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = ""
        ) -> list[Object]:
            asked.append(fields)
            return [{"metadata": {"name": "agent"}}]

        def execute(self, *_: Any, **__: Any) -> str:
            return json.dumps([{"status": {"state": states.pop(0)}}])

    await_settled(Api(Path("none")), "n")
    assert asked == ["spec.nodeName=n"], "a move would wait for agents that start again elsewhere"
    assert not states, "the node's own ports would be refused until its device has Cilium's program"


def test_the_domain_is_the_clusters_own() -> None:
    assert domain_from("networking:\n  dnsDomain: corp.internal\n") == "corp.internal"
    for bad in ("", "networking: {}\n", "a: [\n"):
        with pytest.raises(StepError):
            domain_from(bad)


@contextmanager
def service() -> Generator[str]:
    """Answers each connection with a name, as a probe does, on every address of this machine."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(b"probe-a\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


Fake = Callable[[str, str], Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return tmp_path

    return put


def on_probe(
    script: str, folder: Path, *args: str, where: str = "on_probe", **env: str
) -> subprocess.CompletedProcess[str]:
    # The folder of the fakes comes first, so that they are what the script finds.
    return subprocess.run(
        ["bash", "-s", "--", *args],
        input=(STEPS / where / f"{script}.sh").read_text(),
        env={**os.environ, **env, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def reach(folder: Path, domain: str = "cluster.local", pods: Mapping[str, str] | None = None) -> Reach:
    with service() as at:
        env = {"SERVICE": at, "DNS": "10.96.0.10", "API": API, "NODE": "c-worker", "SECONDS_MAX": "0"}
        there = {address.replace("PORT", at.rpartition(":")[2]): node for address, node in (pods or {}).items()}
        return parse_reach("a", "probe", on_probe("reach", folder, *there, DOMAIN=domain, **env).stdout, there)


def dig(inside: str, outside: str, domain: str = "cluster.local") -> str:
    return f'case "$*" in *kubernetes.default.svc.{domain}.*) {inside} ;; *) {outside} ;; esac'


def header(status: str) -> str:
    return f"echo ';; Got answer:'; echo ';; ->>HEADER<<- opcode: QUERY, status: {status}, id: 7'"


SILENT = "echo ';; communications error to 10.96.0.10#53: timed out'; echo ';; no servers could be reached'; exit 9"


def test_an_upstream_that_is_silent_is_no_dns(fake: Fake) -> None:
    found = reach(fake("dig", dig(f"echo {API}", SILENT)))
    assert found.services and not found.dns, "dig's error on stdout would pass for an answer"
    assert "the upstream has no answer for c-worker" in found.why and "no servers could be reached" in found.why


def test_a_dns_of_the_cluster_that_is_silent_is_no_dns(fake: Fake) -> None:
    found = reach(fake("dig", dig(SILENT, header("NOERROR"))))
    assert not found.dns and "no answer for kubernetes.default.svc.cluster.local." in found.why


@pytest.mark.parametrize("status", ["NOERROR", "NXDOMAIN"])
def test_an_upstream_that_answers_is_dns_whether_it_knows_the_name_or_not(fake: Fake, status: str) -> None:
    found = reach(fake("dig", dig(f"echo {API}", header(status))))
    assert found.dns and not found.why, "an upstream that does not know Docker's names would fail a right network"


@pytest.mark.parametrize("status", ["SERVFAIL", "REFUSED"])
def test_an_upstream_that_cannot_answer_is_no_dns(fake: Fake, status: str) -> None:
    found = reach(fake("dig", dig(f"echo {API}", header(status))))
    assert not found.dns and status in found.why, "external names would be dead after a migration that «ended well»"


@pytest.mark.parametrize("answer", ["10.96.0.7", ";; connection refused", ""])
def test_another_answer_than_the_apis_address_is_no_dns(fake: Fake, answer: str) -> None:
    found = reach(fake("dig", dig(f"echo '{answer}'", header("NOERROR"))))
    assert not found.dns and "kubernetes.default.svc.cluster.local." in found.why


def test_the_apis_name_is_asked_for_in_the_clusters_own_domain(fake: Fake) -> None:
    folder = fake("dig", dig(f"echo {API}", header("NXDOMAIN"), domain="corp.internal"))
    assert reach(folder, "corp.internal").dns, "a cluster with a domain of its own would fail for ever"


def test_a_service_that_gives_no_answer_is_no_service(fake: Fake) -> None:
    folder = fake("dig", dig(f"echo {API}", header("NOERROR")))
    env = {"SERVICE": "127.0.0.1:1", "DNS": "10.96.0.10", "API": API, "NODE": "n", "SECONDS_MAX": "0"}
    found = parse_reach("a", "probe", on_probe("reach", folder, **env).stdout, {})
    assert not found.services and found.dns and "no connection to 127.0.0.1:1" in found.why


def test_each_pod_is_connected_to_by_its_address(fake: Fake) -> None:
    folder = fake("dig", dig(f"echo {API}", header("NOERROR")))
    found = reach(folder, pods={"127.0.0.1:PORT": "a", "127.0.0.2:PORT": "b", "127.0.0.3:1": "c"})
    assert found.pods == {"a": True, "b": True, "c": False} and found.services and found.dns
    assert found.why == "a (probe): connect 127.0.0.3:1: " + found.why.partition(": ")[2].partition(": ")[2]
    assert "no connection to 127.0.0.3:1" in found.why, "nobody would know which Pod it is"


def test_the_pings_are_counted_by_target_the_unanswered_too(fake: Fake) -> None:
    folder = fake(
        "ping",
        "for last; do :; done\ncase $last in 10.0.0.1) n=5 ;; *) n=3 ;; esac\n"
        'echo "5 packets transmitted, $n received, +2 errors, 40% packet loss, time 804ms"\n[ $n = 5 ]',
    )
    done = on_probe("send", folder, "10.0.0.1", "10.0.0.2", COUNT="5")
    assert done.returncode == 0, done.stderr
    assert parse_sent(done.stdout, ["10.0.0.1", "10.0.0.2"], 5) == {"10.0.0.1": 5, "10.0.0.2": 3}


def test_a_ping_that_counts_nothing_is_a_failure(fake: Fake) -> None:
    done = on_probe("send", fake("ping", "echo 'ping: socktype: SOCK_RAW' >&2; exit 2"), "10.0.0.1", COUNT="5")
    assert done.returncode != 0 and "SOCK_RAW" in done.stderr, "the user would not learn why no pings were sent"


def captured(folder: Path, started: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    return on_probe("captured", folder, FOLDER=started.stdout.split()[-1], SECONDS_MAX="5")


def test_the_capture_is_on_the_device_of_the_default_route_and_nobody_has_to_stay_for_it(fake: Fake) -> None:
    fake("ip", "echo 'default via 172.18.0.1 dev ens5 proto dhcp src 172.18.0.2'")
    folder = fake("tcpdump", 'echo "tcpdump: listening on $7" >&2; sleep 0.5; echo "$*"')
    started = on_probe("capture", folder, TARGET="10.244.1.2", COUNT="5", SECONDS_MAX="5")
    assert started.returncode == 0 and started.stdout.startswith("ens5 "), started.stderr
    done = captured(folder, started)
    assert "-i ens5 " in done.stdout, "on another device than eth0 nothing would be seen"
    assert not Path(started.stdout.split()[-1]).exists(), "a probe's disk would fill with captures"


def test_a_capture_that_does_not_begin_or_breaks_off_says_why(fake: Fake) -> None:
    fake("ip", "echo 'default via 172.18.0.1 dev ens5'")
    refused = on_probe("capture", fake("tcpdump", "echo no permission >&2; exit 1"), TARGET="10.0.0.1", **LISTEN)
    assert refused.returncode != 0 and "no permission" in refused.stderr, "a tunnel could stay unseen, and nobody know"
    folder = fake("tcpdump", "echo 'listening on ens5' >&2; echo disk full >&2; exit 3")
    broken = captured(folder, on_probe("capture", folder, TARGET="10.0.0.1", **LISTEN))
    assert broken.returncode != 0 and "ends with 3" in broken.stderr and "disk full" in broken.stderr


def test_a_capture_whose_time_is_up_is_a_finding(fake: Fake) -> None:
    fake("ip", "echo 'default via 172.18.0.1 dev ens5'")
    folder = fake("tcpdump", "echo 'listening on ens5' >&2; echo one packet; exec sleep 60")
    started = on_probe("capture", folder, TARGET="10.0.0.1", COUNT="5", SECONDS_MAX="1")
    assert captured(folder, started).stdout == "one packet\n", "lost pings would pass for a broken capture"


def test_a_node_without_a_default_route_is_named(fake: Fake) -> None:
    done = on_probe("capture", fake("ip", ":"), TARGET="10.244.1.2", COUNT="5", SECONDS_MAX="5")
    assert done.returncode != 0 and "no default route" in done.stderr


@pytest.mark.parametrize(("nft", "legacy"), [(True, False), (False, True), (False, False)])
def test_flannels_masquerading_is_looked_for_in_both_backends(fake: Fake, nft: bool, legacy: bool) -> None:
    for tool, there in (("nft", nft), ("legacy", legacy)):
        folder = fake(f"iptables-{tool}-save", f"echo '*nat'; {'echo :FLANNEL-POSTRTG - [0:0]' if there else ':'}")
    done = on_probe("masquerading", folder, where="on_node")
    assert done.stdout.strip() == ("iptables" if nft or legacy else "none"), (
        "the output would name what nobody measured"
    )


LINK = "5: {}: <BROADCAST,UP> mtu 1450 qdisc noqueue state UNKNOWN \\\\    link/ether 1a:2b \\\\    {} local 172.18.0.2"


@pytest.mark.parametrize(
    ("link", "routes", "backend"),
    [
        (LINK.format("flannel.1", "vxlan id 1"), "10.244.1.0/24 via 10.244.1.0 onlink", "vxlan"),
        (LINK.format("flannel.1", "vxlan id 1"), "", "none"),
        (LINK.format("cilium_vxlan", "vxlan external"), "10.244.1.0/24", "none"),
        ("", "10.244.1.0/24", "none"),
    ],
)
def test_flannels_routing_is_what_the_kernel_has_and_no_annotation(
    fake: Fake, link: str, routes: str, backend: str
) -> None:
    folder = fake("ip", f"case $* in *link*) printf '%b' '{link}' ;; *'dev flannel.1') printf '{routes}' ;; esac")
    done = on_probe("backend", folder, where="on_node")
    assert (done.returncode, done.stdout.strip()) == (0, backend), "the output would go on saying what was once set up"


def test_a_kernel_that_cannot_be_asked_has_no_backend(fake: Fake) -> None:
    assert on_probe("backend", fake("ip", "echo broken >&2; exit 1"), where="on_node").returncode != 0


# A cluster of two nodes whose probes run here, with the fakes in front of the tools.
CLUSTER = """
import json, os, sys
args = [arg for arg in sys.argv[1:] if not arg.startswith("--kubeconfig")]
options = dict(arg[2:].split("=", 1) for arg in args if arg.startswith("--") and "=" in arg)
if args[0] == "exec":
    pod = next(arg for arg in args[1:] if not arg.startswith("--"))
    broken = os.environ.get("BROKEN", "")
    if pod == broken:
        sys.exit("error: container not found")
    if "cilium-dbg" in args:
        print(os.environ["STATUS"] if "status" in args else os.environ["ENDPOINTS"])
        sys.exit()
    command = args[args.index("--") + 1 :]
    os.execvp(command[0], command)
if args[0] == "get":
    known = json.loads(os.environ["OBJECTS"])
    key = args[1] if args[2].startswith("--") else f"{args[1]} {args[2]}"
    if key == "pods":
        node = options.get("field-selector", "=").split("=")[1]
        chosen = known["pods"].get(options["selector"], [])
        print(json.dumps({"items": [it for it in chosen if not node or it["spec"]["nodeName"] == node]}))
    elif " " in key:
        print(json.dumps(known[key]))
    else:
        print(json.dumps({"items": known[key]}))
"""
TCPDUMP = """echo "tcpdump: listening on eth0" >&2
case $TARGET in 127.0.0.2) from=127.0.1.2 ;; *) from=127.0.0.2 ;; esac
for n in 1 2 3 4 5; do
  echo "12:00:00.000001 IP (tos 0x0, ttl 62, proto ICMP (1), length 84)"
  echo "    $from > $TARGET: ICMP echo request, id 1, seq 1, length 64"
done"""


@pytest.fixture
def small_cluster(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Generator[Needs]:
    def pods(name: str, *, address: str = "127.0.{}.2") -> list[dict[str, object]]:
        return [
            {
                "metadata": {"name": f"{name}-{node}"},
                "spec": {"nodeName": node},
                "status": {"phase": "Running", "podIP": address.format(number)},
            }
            for number, node in enumerate(("a", "b"))
        ]

    def service_at(address: str) -> dict[str, object]:
        return {"spec": {"clusterIP": address}}

    objects: dict[str, object] = {
        "daemonsets,deployments": [],
        "nodes": [{"metadata": {"name": node}} for node in ("a", "b")],
        "pods": {
            "app=probe": pods("probe"),
            "app=probe-host": pods("host", address="172.18.0.{}"),
            "k8s-app=cilium": pods("cilium"),
            "app=fresh": pods("fresh", address="10.244.{}.9"),
        },
        "daemonset probe": {"spec": {"template": {"spec": {"containers": [{"image": "probe:1"}]}}}},
        "service probe": service_at("127.0.0.1"),
        "service kube-dns": service_at("10.96.0.10"),
        "service kubernetes": service_at(API),
        "configmap kubeadm-config": {"data": {"ClusterConfiguration": "networking: {dnsDomain: cluster.local}"}},
    }
    status = {
        "kube-proxy-replacement": {"mode": "True"},
        "routing": {"inter-host-routing-mode": "Native"},
        "masquerading": {"enabledProtocols": {"ipv4": True}, "mode": "BPF"},
    }
    folder = fake("kubectl", f'exec {sys.executable} "$(dirname "$0")/kubectl.py" "$@"')
    (folder / "kubectl.py").write_text(CLUSTER)
    fake("kind", "echo a kubeconfig")
    fake("ip", "echo 'default via 172.18.0.1 dev eth0'")
    fake("tcpdump", TCPDUMP)
    fake("ping", 'echo "5 packets transmitted, ${REPLIES:-5} received, 0% packet loss"')
    fake("dig", dig(f"echo {API}", header("NXDOMAIN")))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("OBJECTS", json.dumps(objects))
    monkeypatch.setenv("STATUS", json.dumps(status))
    monkeypatch.setenv("ENDPOINTS", '[{"status": {"state": "ready"}}]')
    with service() as at:
        yield Needs(cluster="c", cni="cilium", service_port=int(at.rpartition(":")[2]), pending=())


def test_a_right_network_gives_its_verdict_in_one_line(small_cluster: Needs) -> None:
    printed = verify(small_cluster)
    verdict = json.loads(printed)
    assert printed.count("\n") == 1 and verdict["ok"] is True and verdict["icmpWireBytes"] == 84
    assert [(pair["from"], pair["to"], pair["packets"]) for pair in verdict["pairs"]] == [("b", "a", 5), ("a", "b", 5)]
    assert [pair["reach"] for pair in verdict["pairs"]] == [True, True]
    assert verdict["basis"] == {
        "pairs": {"asked": 2, "answered": 2},
        "probes": {"asked": 4, "answered": 4},
        "agents": {"asked": 2, "answered": 2},
    }, "nobody could tell how much the verdict rests on"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("probe-a", "a: the probe gave no answer: probe: "),
        ("host-b", "b: the capture gave no answer: "),
    ],
)
def test_a_probe_that_cannot_be_asked_fails_the_verdict(
    small_cluster: Needs, monkeypatch: pytest.MonkeyPatch, broken: str, words: str
) -> None:
    monkeypatch.setenv("BROKEN", broken)
    with pytest.raises(StepError) as failed:
        verify(small_cluster)
    assert words in str(failed.value) and "container not found" in str(failed.value), (
        "nobody would know whom to look at"
    )


def test_an_agent_that_says_nothing_fails_the_verdict_on_every_node(
    small_cluster: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS", "{}")
    with pytest.raises(StepError, match=r"a: the CNI gave no answer: .*; b: the CNI gave no answer: "):
        verify(small_cluster)


def test_lost_replies_fail_the_verdict(small_cluster: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLIES", "4")
    with pytest.raises(StepError, match="a to b: 4 of 5 pings were answered; b to a: 4 of 5 pings were answered"):
        verify(small_cluster)


class Workloads(Kubectl):
    """A cluster in which only Cilium's chart has workloads."""

    def __init__(self, *found: tuple[str, str, str]) -> None:
        super().__init__(Path("nowhere"))
        self._found = found

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        assert (kind, namespace, selector) == ("daemonsets,deployments", "kube-system", CHART)
        return [
            {"kind": kind, "metadata": {"name": name}, "spec": {"updateStrategy": {"type": update}}}
            for kind, name, update in self._found
        ]


def test_each_workload_of_the_chart_is_waited_for_by_name_since_helm_waits_for_none() -> None:
    chart = Workloads(("DaemonSet", "cilium", "RollingUpdate"), ("Deployment", "hubble-relay", ""))
    assert of_the_chart(chart) == ["daemonset/cilium", "deployment/hubble-relay"], "a relay that never starts is ready"
    assert of_the_chart(Workloads()) == [], "Flannel would be measured by Cilium's workloads"


def test_a_workload_that_its_owner_rolls_out_by_hand_does_not_fail_the_verification() -> None:
    chart = Workloads(("DaemonSet", "cilium", "OnDelete"))
    assert of_the_chart(chart) == [], "kubectl refuses to wait for it, and every `up` would end with that"
