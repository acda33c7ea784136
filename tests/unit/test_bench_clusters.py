"""What the benchmark makes: clusters of its own, Pods where they belong, and a run that can be repeated."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import clusters, facts, results, running, subject
from bench.accounting import Usage
from bench.answers import NoSampleError
from bench.clusters import CLUSTERS, configuration
from bench.manifest import manifest
from bench.order import SIDES
from bench.render import section
from bench.results import ResultsError, Run
from bench.shapes import Measure, Pair
from bench.subject import Subject
from bench.summary import summary
from bench.workloads import EQUAL_MSS, GRACE, HTTP, IPERF3, SOCKPERF, workloads
from settings import stack
from settings.layers import tree_of
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.running import StepError

ROOT = Path(__file__).parents[2]
NODES = ["one", "two"]


@pytest.mark.parametrize("side", SIDES)
def test_each_side_is_a_cluster_of_its_own_that_the_settings_accept(side: Any) -> None:
    committed = yaml.safe_load((ROOT / f"Pulumi.{side}.yaml").read_text())
    committed["config"]["cni-migration:cluster"] = {"name": "production", "workers": 9}
    made = yaml.safe_load(configuration(CLUSTERS[side], yaml.safe_dump(committed)))
    texts = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in made["config"].items()
    }  # fmt: skip
    found = stack.parse(tree_of(texts))
    assert found.cluster.name == CLUSTERS[side].name != "production", "the user's own cluster would be measured"
    assert (found.cni, found.cluster.control_planes, found.cluster.workers) == (side, 1, 2)
    assert not found.traffic.enabled, "a migration's probers would be part of what is measured"
    assert made["encryptionsalt"] == committed["encryptionsalt"], "the user's passphrase would not fit"


def test_the_two_clusters_differ_in_their_network_alone() -> None:
    one, other = CLUSTERS["flannel"], CLUSTERS["cilium"]
    assert len({one.name, other.name, one.pod_subnet, other.pod_subnet, one.service_subnet, other.service_subnet}) == 6


def pods(training: str = "") -> dict[str, Any]:
    made = manifest(NODES, "tools", training, "nginx")
    return {item["metadata"]["name"]: item for item in made["items"] if item["kind"] == "Pod"}


def test_every_test_has_its_client_and_its_server_on_the_nodes_that_its_name_says() -> None:
    found = pods("torch")
    for test in workloads(3, training=True):
        nodes = [found[name]["spec"]["nodeName"] for name in (test.client, test.server)]
        apart = not test.name.startswith(("same-node/", "loopback"))
        assert (len(set(nodes)) == 2) == apart, f"{test.name} would be measured on {nodes}"
        host = [found[name]["spec"]["hostNetwork"] for name in (test.client, test.server)]
        assert host == [test.name.startswith("host/")] * 2


def test_a_server_is_waited_for_without_a_connection_and_only_until_it_listens() -> None:
    ports = {"iperf3": IPERF3, "sockperf": SOCKPERF, "nginx": HTTP}
    for name in ("near", "far", "host-far"):
        for container in pods()[name]["spec"]["containers"]:
            assert f":{ports[container['name']]:04X} " in container["startupProbe"]["exec"]["command"][2]
            assert not {"livenessProbe", "readinessProbe"} & container.keys(), "the probe would be measured as well"


def test_there_are_no_ranks_without_their_image() -> None:
    assert "rank-0" not in pods() and {"rank-0", "rank-1"} <= pods("torch").keys()


def test_nginx_listens_where_ab_asks() -> None:
    assert f"listen {HTTP} " in (ROOT / "bench" / "pods" / "nginx.conf").read_text()


def test_the_tests_are_those_that_the_claims_are_held_against() -> None:
    names = {test.name for test in workloads(3, training=True)}
    for judged in summary(results.Results(run=RUN, pairs=[])).judged:
        assert any(judged.claim.metric.startswith(f"{name}/") for name in names), f"nothing answers {judged.claim.key}"
    equal = next(test for test in workloads(3, training=False) if test.name.endswith("equal-mss"))
    assert equal.command[equal.command.index("--set-mss") + 1] == str(EQUAL_MSS)


class Counter:
    """An accounting in which the nodes use a tenth of a second a look."""

    def __init__(self) -> None:
        self.looks = 0

    def read(self) -> Usage:
        self.looks += 1
        return Usage(at=self.looks, nodes=0.1 * self.looks, machine=0.2 * self.looks, stolen=0, total=2 * self.looks)


class Doors(Kubectl):
    """Answers `execute` with what is planned for a Pod."""

    def __init__(self, answers: dict[str, str | Exception]) -> None:
        super().__init__(Path("/nowhere"))
        self.answers = answers
        self.asked: list[tuple[str, Sequence[str]]] = []
        self.together = threading.Barrier(2, timeout=5)

    def execute(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        container: str = "",
        stdin: str = "",
        timeout: float = 60,
    ) -> str:
        self.asked.append((pod, command))
        if stdin:
            self.together.wait()
        answer = self.answers[pod]
        if isinstance(answer, Exception):
            raise answer
        return answer


def measured(name: str, answers: dict[str, str | Exception]) -> tuple[Measure, Doors]:
    doors = Doors(answers)
    one = Subject(CLUSTERS["cilium"], doors)
    one._addresses = {"far": "10.1.1.1", "rank-0": "10.1.1.2", "rank-1": "10.1.1.3"}  # pyright: ignore
    one._accounting = Counter()  # pyright: ignore
    test = next(test for test in workloads(3, training=True) if test.name == name)
    return one.measure(test), doors


def test_cpu_time_is_divided_by_what_was_carried() -> None:
    text = json.dumps({"end": {"sum_received": {"bytes": 2e9, "seconds": 3}}})
    found, doors = measured("other-node/tcp-1", {"client": text})
    assert found.values["cpu-per-gb"] == pytest.approx(0.05)
    assert found.values["machine-cpu-per-gb"] == pytest.approx(0.1)
    assert "10.1.1.1" in doors.asked[0][1]
    assert "3" in doors.asked[0][1] and "SECONDS" not in doors.asked[0][1], "iperf3 would refuse its time"


def test_what_hangs_is_ended_in_its_pod_and_not_only_here() -> None:
    text = json.dumps({"end": {"sum_received": {"bytes": 2e9, "seconds": 3}}})
    _, doors = measured("other-node/tcp-1", {"client": text})
    assert doors.asked[0][1][:3] == ["timeout", "--kill-after=2", str(3 + GRACE)], "it would load the next measurement"


def test_a_tool_that_fails_is_no_sample() -> None:
    with pytest.raises(NoSampleError, match="exit 124"):
        measured("other-node/tcp-1", {"client": ToolError("`kubectl exec` failed: exit 124")})


RANKS = '{"all-reduce-4MiB/bus-gbits": 3.0, "ddp/samples": 900, "seconds": 3}'


def test_the_ranks_run_side_by_side_and_find_each_other_over_the_pod_network() -> None:
    found, doors = measured("training", {"rank-0": RANKS, "rank-1": ""})
    assert found.values == {"all-reduce-4MiB/bus-gbits": 3.0, "ddp/samples": 900.0}
    assert {pod for pod, _ in doors.asked} == {"rank-0", "rank-1"}
    assert all("10.1.1.2" in command and "GLOO_SOCKET_IFNAME=eth0" in command for _, command in doors.asked)


def test_the_floor_is_the_same_ranks_on_loopback() -> None:
    _, doors = measured("loopback", {"rank-0": RANKS})
    assert [pod for pod, _ in doors.asked] == ["rank-0"] * 2
    assert all("127.0.0.1" in command and "GLOO_SOCKET_IFNAME=lo" in command for _, command in doors.asked)


@pytest.mark.parametrize(
    "answers", [{"rank-0": RANKS, "rank-1": ToolError("it hung")}, {"rank-0": "", "rank-1": ""}]
)  # fmt: skip
def test_a_rank_that_does_not_come_to_its_end_is_no_sample(answers: dict[str, str | Exception]) -> None:
    with pytest.raises(NoSampleError):
        measured("training", answers)


RUN = Run(
    schema=1, mode="quick", pairs=1, seed=7, indicative=True, began="2026-01-01T00:00:00+00:00", project="abc",
    settings={"seconds": 3, "training": False}, machine={"cpus": 2}, versions={"iperf3": "3.12"},
    clusters={"cilium": {"podMtu": 1500}},
)  # fmt: skip


def test_a_run_goes_on_where_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    running.begin_or_go_on(path, RUN)
    running.begin_or_go_on(path, replace(RUN, seed=8, began="later"))
    assert results.load(path).run == RUN, "another seed would measure in another order"


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (replace(RUN, machine={"cpus": 4}), "machine.cpus: was 2, is 4"),
        (replace(RUN, clusters={"cilium": {"podMtu": 1450}}), "podMtu"),
        (replace(RUN, versions={}), "versions.iperf3"),
        (replace(RUN, settings={"seconds": 5, "training": False}), "settings.seconds"),
    ],
)
def test_a_run_does_not_go_on_somewhere_else(tmp_path: Path, now: Run, names: str) -> None:
    running.begin_or_go_on(tmp_path / "run.jsonl", RUN)
    with pytest.raises(ResultsError, match=names):
        running.begin_or_go_on(tmp_path / "run.jsonl", now)
    assert facts.differences(RUN, RUN) == []


def test_a_whole_run_stays_beside_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    running.begin_or_go_on(path, RUN)
    one = Measure(side="cilium", began="", seconds=3, steal=0, values={"gbits": 1})
    for test in workloads(3, training=False):
        for comparison in ("pair", "control"):
            results.append(
                path,
                Pair(
                    turn=0,
                    test=test.name,
                    comparison=comparison,
                    numerator=0,
                    measures=(one, one),
                    attempt=1,
                    kept=True,
                    stolen=False,
                ),
            )
    running.begin_or_go_on(path, replace(RUN, seed=8))
    assert results.load(path).run.seed == 8
    assert len(list(tmp_path.glob("run-*.jsonl"))) == 1, "the results of hours would be written over"


def test_sizes_that_are_mostly_not_network_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    results.begin(path, RUN)
    for test, small, large in (("training", 1.0, 4.0), ("loopback", 1.5, 12.0)):
        values = {"all-reduce-32KiB/bus-gbits": small, "all-reduce-64MiB/bus-gbits": large}
        ends = tuple(Measure(side=side, began="", seconds=3, steal=0, values=values) for side in SIDES)
        results.append(
            path,
            Pair(
                turn=0,
                test=test,
                comparison="pair",
                numerator=1,
                measures=(ends[0], ends[1]),
                attempt=1,
                kept=True,
                stolen=False,
            ),
        )
    found = summary(results.load(path))
    assert {row.metric for row in found.rows if row.insensitive} == {"training/all-reduce-32KiB/bus-gbits"}
    assert "bus-gbits` †" in section(results.load(path))


def test_the_pods_scripts_are_python_that_the_image_can_read() -> None:
    text = (subject.PODS / "ranks.py").read_text()
    compile(text, "ranks.py", "exec")
    assert "print(json.dumps" in text


PULUMI = """\
#!/bin/sh
echo "$PULUMI_BACKEND_URL $*" >>"$0.calls"
case "$1 $2" in
  "stack ls") cat "$0.stacks" ;;
  "stack init") echo '[{"name": "cilium"}]' >"$0.stacks" ;;
  "stack output") echo '{"cluster": "cni-bench-cilium", "cni": "'"$(cat "$0.cni")"'"}' ;;
esac
"""


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI)
    program.chmod(0o755)
    for name, text in (("stacks", "[]"), ("cni", "cilium")):
        (program.parent / f"pulumi.{name}").write_text(text)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(clusters, "FOLDER", tmp_path / "state")
    return program.parent


def calls(folder: Path) -> list[str]:
    return (folder / "pulumi.calls").read_text().splitlines()


def test_an_up_of_the_benchmark_has_a_state_and_a_configuration_of_its_own(pulumi: Path, tmp_path: Path) -> None:
    clusters.up(CLUSTERS["cilium"])
    clusters.up(CLUSTERS["cilium"])
    made = calls(pulumi)
    assert all(line.startswith(f"{(tmp_path / 'state').as_uri()} ") for line in made), "the user's stacks would be used"
    ups = [line for line in made if " up " in line]
    assert len(ups) == 2
    assert all(f"--config-file {tmp_path / 'state' / 'Pulumi.cilium.yaml'}" in line for line in ups)
    inits = [line for line in made if "stack init" in line]
    assert len(inits) == 1 and "--no-select" in inits[0], "the user's selected stack would be another one afterwards"


def test_a_cluster_of_another_network_is_not_measured(pulumi: Path) -> None:
    (pulumi / "pulumi.cni").write_text("flannel")
    with pytest.raises(StepError, match="with flannel"):
        clusters.up(CLUSTERS["cilium"])


def test_what_was_never_made_is_not_destroyed_and_what_was_goes_with_its_stack(pulumi: Path) -> None:
    clusters.down(CLUSTERS["cilium"])
    assert not [line for line in calls(pulumi) if "destroy" in line]
    clusters.up(CLUSTERS["cilium"])
    clusters.down(CLUSTERS["cilium"])
    assert [line.split()[1:3] for line in calls(pulumi)[-2:]] == [["destroy", "--stack"], ["stack", "rm"]]
    assert "--preserve-config" in calls(pulumi)[-1], "the user's Pulumi.cilium.yaml would be deleted"


def test_stacks_that_nobody_could_list_are_not_none(pulumi: Path) -> None:
    (pulumi / "pulumi.stacks").unlink()
    with pytest.raises(StepError):
        clusters.down(CLUSTERS["cilium"])
