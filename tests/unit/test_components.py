"""The shape of the components, with Pulumi's mocks: names, parents, options. An order is the engine tests' matter."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any, NoReturn

import pulumi
import pytest
from pulumi.runtime.mocks import MockMonitor

from plan.ownership import Claim, Owner
from settings import Settings, parse
from settings.strategy import RECREATE, ROLLING, STRATEGIES, Strategy
from steps.held import Base
from steps.running import variables

FACTS = set(RECREATE.facts())


class Recorder(pulumi.runtime.Mocks):
    """Answers every registration, and remembers it."""

    def __init__(self) -> None:
        # MockResourceArgs, which do not say what their `inputs` are.
        self.resources: dict[str, Any] = {}
        self.requests: dict[str, Any] = {}

    def new_resource(self, args: Any) -> tuple[str | None, dict[str, Any]]:
        self.resources[args.name] = args
        stdout = {"stdout": _stdout(args.inputs.get("create", ""))} if args.typ == "command:local:Command" else {}
        return f"{args.name}-id", {**args.inputs, **stdout}

    def call(self, args: pulumi.runtime.MockCallArgs) -> NoReturn:
        raise AssertionError(f"no component may call {args.token}: a plan reads nothing through a provider")


def _stdout(create: str) -> str:
    return {"steps.verify": '{"ok": true}', "steps.traffic_report": '{"measured": true}'}.get(
        create, "2026-01-01T00:00:00Z"
    )


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, project="cni-migration", stack="test", preview=False)
    # By its name: it has no types.
    register = vars(MockMonitor)["RegisterResource"]

    def remember(monitor: MockMonitor, request: Any) -> Any:
        # The options of a resource are in its request only: mocks are not told of them.
        mocks.requests[request.name] = request
        return register(monitor, request)

    monkeypatch.setattr(MockMonitor, "RegisterResource", remember)
    return mocks


def to_its_end(program: Callable[[], None]) -> None:
    """Runs it as Pulumi runs a program, until all that it registers is registered."""
    # By its name: it has no types.
    vars(pulumi.runtime)["test"](program)()


def build(settings: Settings, strategy: Strategy, due: bool, previous: Owner | None) -> None:
    from components import wiring

    claim = Claim(
        stack="test", cni=settings.cni, generation="g", epoch=7, strategy=strategy, due=due, previous=previous
    )
    wiring.build(settings, None, claim)


def run(
    recorder: Recorder,
    settings: Settings,
    strategy: Strategy = RECREATE,
    *,
    due: bool = True,
    previous: Owner | None = None,
) -> dict[str, Any]:
    to_its_end(lambda: build(settings, strategy, due, previous))
    return recorder.resources


def test_type_tokens_are_static(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "flannel"}))
    tokens = {args.typ for args in resources.values() if args.typ.startswith("cni-migration:")}
    assert tokens == {
        f"cni-migration:index:{name}"
        for name in (
            "KindCluster",
            "Migration",
            "TrafficProbe",
            "NodeCleanup",
            "Flannel",
            "KubeProxy",
            "Probes",
            "Verification",
            "Interruption",
        )
    }, "a token that changes replaces everything below it"


def test_who_probes_from_the_host_network_knows_its_own_api_server(recorder: Recorder) -> None:
    daemon_set = run(recorder, parse({"cni": "cilium"}))["migration-traffic-host"]
    (container,) = daemon_set.inputs["spec"]["template"]["spec"]["containers"]
    told = {entry["name"]: entry for entry in container["env"]}
    assert told["HOST_IP"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP" and told["API_PORT"]["value"], (
        "an API server without CPU would fail an up in which the network lost nothing"
    )


def test_the_servers_have_a_node_port_where_somebody_wants_them_asked_from_outside(recorder: Recorder) -> None:
    assert "migration-traffic-outside" not in run(recorder, parse({"cni": "cilium"})), "a port that nobody asked for"
    resources = run(recorder, parse({"cni": "cilium", "traffic": {"outside": True}}))
    spec = resources["migration-traffic-outside"].inputs["spec"]
    assert spec["type"] == "NodePort" and spec["selector"] == {"app": "traffic"}
    told = resources["migration-record"].inputs["environment"]
    assert told["OUTSIDE"] == "true" and told["IMAGE"] and float(told["HERTZ"]) == 5
    assert resources["interruption-report"].inputs["environment"]["OUTSIDE"] == "true"


def test_every_step_of_a_migration_has_the_claim_among_its_triggers(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}))
    steps = [args for name, args in resources.items() if name.startswith("migration-") and "triggers" in args.inputs]
    assert len(steps) == 9, sorted(resources)
    for step in steps:
        assert step.inputs["triggers"] == ["g", "7", "cilium"], f"{step.name} would not run in the next migration"


def test_the_cluster_itself_has_no_trigger(recorder: Recorder) -> None:
    cluster = run(recorder, parse({"cni": "cilium"}))["cluster-kind"]
    assert "triggers" not in cluster.inputs, "a replacement would delete the cluster"
    assert cluster.inputs["environment"]["GENERATION"] == "g", "a new cluster's kubeconfig would never be read"


def test_no_command_names_a_path_of_one_machine(recorder: Recorder) -> None:
    for args in run(recorder, parse({"cni": "cilium"})).values():
        if args.typ == "command:local:Command":
            assert args.inputs["interpreter"] == [".venv/bin/python", "-m"] and args.inputs["create"].startswith(
                "steps."
            ), "the state would be of use in one clone only"


def test_every_flannel_object_carries_the_label_that_a_takeover_looks_for(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "flannel"}))
    objects = [
        args for name, args in resources.items() if args.typ.startswith("kubernetes:") and name.startswith("flannel-")
    ]
    assert len(objects) >= 10
    for args in objects:
        assert args.inputs["metadata"]["labels"]["app.kubernetes.io/part-of"] == "cni-migration", (
            f"{args.name} would stay when the other stack takes over"
        )


def test_each_cni_runs_only_on_nodes_that_are_labelled_as_its_own(recorder: Recorder) -> None:
    flannel = run(recorder, parse({"cni": "flannel"}))
    selector = flannel["flannel-daemonset"].inputs["spec"]["template"]["spec"]["nodeSelector"]
    assert selector["cni-owner"] == "flannel", "two CNIs would hand out addresses of one podCIDR"
    selector = flannel["flannel-kube-proxy-daemonset"].inputs["spec"]["template"]["spec"]["nodeSelector"]
    assert selector["cni-services"] == "kube-proxy" and "cni-owner" not in selector, (
        "Services would be served by nobody on a node between two CNIs"
    )
    cilium = run(recorder, parse({"cni": "cilium"}))["cilium-release"].inputs
    assert cilium["values"]["nodeSelector"]["cni-owner"] == "cilium"


def test_nothing_that_measures_carries_the_label_by_which_a_takeover_deletes(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "flannel"}))
    traffic = [args for name, args in resources.items() if name.startswith("migration-traffic-")]
    assert len(traffic) >= 6
    for args in traffic:
        assert "app.kubernetes.io/part-of" not in args.inputs["metadata"].get("labels", {}), (
            f"{args.name} would be deleted in the middle of what it measures"
        )


def test_rolling_moves_each_node_by_a_resource_of_its_own_and_cleans_no_node_at_once(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}), ROLLING)
    moves = [name for name in resources if name.startswith("moves-cni-migration-")]
    assert sorted(moves) == [f"moves-cni-migration-{node}" for node in ("control-plane", "worker", "worker2")]
    assert not [name for name in resources if "cleanup" in name or "evict" in name]
    assert resources["migration-gate"].inputs["create"] == "steps.keep", "a running CNI would be taken down"


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_helm_waits_for_no_workload_since_the_verification_does(recorder: Recorder, strategy: Strategy) -> None:
    release = run(recorder, parse({"cni": "cilium"}), strategy)["cilium-release"]
    assert release.inputs["skipAwait"] is True, (
        "nodes that have yet to move, or a LoadBalancer, would hold it for 600 s"
    )


def pausing(cni: str = "cilium") -> Settings:
    return parse({"cni": cni, "migration": {"strategy": "rolling", "pauseAfter": 1}})


def test_a_pause_leaves_out_the_moves_behind_it_and_what_ends_a_migration(recorder: Recorder) -> None:
    resources = run(recorder, pausing(), ROLLING)
    assert [name for name in resources if name.startswith("moves-")] == ["moves-cni-migration-worker"]
    assert "verification-settle" not in resources, "a cluster on two CNIs would count as moved"
    environment = resources["verification-pause"].inputs["environment"]
    assert environment["MOVED"] == "cni-migration-worker"
    assert resources["verification-measure"].inputs["environment"]["PENDING"] == environment["PENDING"]
    waits = {urn.split("::")[-1] for urn in recorder.requests["verification-measure"].dependencies}
    assert "moves-cni-migration-worker" in waits, "the network would be measured in the middle of a move"
    assert not [name for name in resources if name.startswith("flannel-")], "another stack's CNI would be taken over"


def test_a_pause_inside_one_stack_keeps_the_old_cni_for_the_nodes_that_wait(recorder: Recorder) -> None:
    before = Owner(stack="test", cni="flannel")
    resources = run(recorder, pausing(), ROLLING, previous=before)
    assert {"flannel-daemonset", "flannel-kube-proxy-daemonset", "cilium-release"} <= resources.keys(), (
        "the engine would delete the CNI of the nodes that have not moved"
    )


def test_a_migration_inside_one_stack_that_goes_to_its_end_names_the_old_cni_no_more(recorder: Recorder) -> None:
    before = Owner(stack="test", cni="flannel")
    for due in (True, False):
        resources = run(recorder, parse({"cni": "cilium"}), ROLLING, due=due, previous=before)
        assert not [name for name in resources if name.startswith("flannel-")], "the old CNI would come back"


def test_the_old_cni_of_another_stack_is_left_to_it_in_a_pause(recorder: Recorder) -> None:
    resources = run(recorder, pausing(), ROLLING, previous=Owner(stack="flannel", cni="flannel"))
    assert not [name for name in resources if name.startswith("flannel-")], "two states would own one object"


def test_a_move_leaves_the_routes_that_it_needs_and_the_services_that_are_still_asked(recorder: Recorder) -> None:
    move = run(recorder, parse({"cni": "cilium"}), ROLLING)["moves-cni-migration-worker"]
    assert "rule 244" not in move.inputs["stdin"] and "KUBE-" not in move.inputs["stdin"]
    assert "chains KUBE-" in move.inputs["environment"]["SERVICES_RESIDUE"], "kube-proxy's rules would stay for ever"
    assert "link cni0" in move.inputs["stdin"], "a cni0 left behind cost the article's author a day"


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
@pytest.mark.parametrize("cni", ["flannel", "cilium"])
def test_every_object_that_lives_for_one_migration_goes_and_comes_with_the_gate(
    recorder: Recorder, cni: str, strategy: Strategy
) -> None:
    run(recorder, parse({"cni": cni}), strategy)
    gated = [
        request
        for name, request in recorder.requests.items()
        if request.type.startswith("kubernetes:") and name.startswith(("flannel-", "cilium-", "probes-"))
    ]
    assert len(gated) >= (13 if cni == "flannel" else 4), "the real CNI was not looked at"
    for request in gated:
        assert [urn.split("::")[-1] for urn in request.replace_with] == ["migration-gate"], (
            f"{request.name} would stay while its nodes are cleaned"
        )
        assert request.deleteBeforeReplace and request.deleteBeforeReplaceDefined, (
            f"{request.name}: the new one would start beside the old"
        )
        assert request.deletedWith.endswith("::cluster-kind"), f"{request.name} would hold up every destroy"


def test_whatever_is_in_the_cluster_or_runs_for_it_goes_with_it(recorder: Recorder) -> None:
    run(recorder, parse({"cni": "cilium"}), ROLLING)
    for name, request in recorder.requests.items():
        if request.type.startswith(("kubernetes:", "command:")) and name != "cluster-kind":
            assert request.deletedWith.endswith("::cluster-kind"), f"a destroy would try to undo {name} first"


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
@pytest.mark.parametrize("cni", ["flannel", "cilium"])
def test_each_step_gets_what_it_asks_for_and_nothing_that_nobody_reads(
    recorder: Recorder, cni: str, strategy: Strategy
) -> None:
    run(recorder, parse({"cni": cni}), strategy)
    base = {field.name.upper() for field in dataclasses.fields(Base)}
    commands = [args for args in recorder.resources.values() if args.typ == "command:local:Command"]
    assert len(commands) >= 10
    for args in commands:
        given = set(args.inputs["environment"])
        for verb in (args.inputs["create"], args.inputs.get("delete")):
            needs = getattr(importlib.import_module(verb), "Needs", None) if verb else None
            asked = variables(needs) if needs else set[str]()
            assert asked <= given, f"{args.name}: {verb} would fail for want of {sorted(asked - given)}"
            unread = given - asked - base - FACTS
            if verb == args.inputs["create"] and verb != "steps.keep":
                assert not unread, f"{args.name}: nobody reads {sorted(unread)}"


def test_a_step_is_noted_in_the_recording_under_its_own_name(recorder: Recorder) -> None:
    marks: dict[str, str] = {}
    for strategy in STRATEGIES.values():
        for name, args in run(recorder, parse({"cni": "cilium"}), strategy).items():
            if args.typ == "command:local:Command" and args.inputs["environment"].get("MARK"):
                marks[name] = args.inputs["environment"]["MARK"]
    assert marks["migration-gate"] == "takeover" or "migration-gate" not in marks
    assert marks["migration-evict"].startswith("evict") and marks["migration-routes"].startswith("routes")
    assert marks["moves-cni-migration-worker"] == "move cni-migration-worker", "its cost would be another's"


def test_what_may_hold_things_of_others_is_taken_down_by_a_step_and_not_by_the_engine(recorder: Recorder) -> None:
    run(recorder, parse({"cni": "flannel"}))
    run(recorder, parse({"cni": "cilium"}))
    for name in ("flannel-namespace", "cilium-release"):
        assert recorder.requests[name].retainOnDelete, (
            f"{name}: users' objects would go with it, and after a rolling move its deletion fails: release: not found"
        )


def test_an_empty_list_among_the_values_reaches_helm_and_no_other_release_is_upgraded_for_it(
    recorder: Recorder,
) -> None:
    plain = run(recorder, parse({"cni": "cilium"}))["cilium-release"].inputs
    assert "allowNullValues" not in plain, "every release there is would be upgraded for the sake of an option"
    emptied = parse({"cni": "cilium", "cilium": {"values": {"operator": {"tolerations": []}}}})
    assert run(recorder, emptied)["cilium-release"].inputs["allowNullValues"] is True, (
        "the chart's default would stand where the user has written nothing"
    )


def test_coredns_budget_is_no_resource_since_only_the_cluster_knows_whether_it_has_one(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}), ROLLING)
    assert "migration-coredns" not in resources, "two budgets over one Pod: its node would never be drained"


def test_pods_that_nobody_makes_anew_are_kept_before_the_gate_opens(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}))
    assert resources["migration-keep-pods"].inputs["create"] == "steps.pods_keep"
    depends = {urn.split("::")[-1] for urn in recorder.requests["migration-gate"].dependencies}
    assert "migration-keep-pods" in depends, "the network would be down before a bare Pod's manifest is safe"
    claimed = {urn.split("::")[-1] for urn in recorder.requests["migration-keep-pods"].dependencies}
    assert "migration-claim" in claimed, "another stack's migration would find its copies changed"


def test_a_strategy_that_drains_keeps_no_pods(recorder: Recorder) -> None:
    assert "migration-keep-pods" not in run(recorder, parse({"cni": "cilium"}), ROLLING)
