"""The shape of the components, with Pulumi's mocks: names, parents, options. An order is the engine tests' matter."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.ownership import Strategy
from settings import Settings, parse


class Recorder(pulumi.runtime.Mocks):
    """Answers every registration, and remembers it."""

    def __init__(self) -> None:
        self.resources: dict[str, pulumi.runtime.MockResourceArgs] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources[args.name] = args
        stdout = {"stdout": "2026-01-01T00:00:00Z"} if args.typ == "command:local:Command" else {}
        return f"{args.name}-id", {**args.inputs, **stdout}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"no component may call {args.token}: a plan reads nothing through a provider")


@pytest.fixture
def recorder() -> Recorder:
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, project="cni-migration", stack="test", preview=False)
    return mocks


def build(settings: Settings, strategy: Strategy, due: bool) -> None:
    from components.cni import create_cni
    from components.kind_cluster import KindCluster, KindClusterArgs
    from components.migration import Migration, MigrationArgs
    from components.ownership import Claim
    from components.rolling import move_nodes

    claim = Claim(stack="test", cni=settings.cni, generation="g", epoch=7, strategy=strategy, due=due)
    cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, None, claim))
    migration = Migration("migration", MigrationArgs.of(settings, cluster, claim, None))
    cni = create_cni(settings, migration.gate, cluster.provider)
    move_nodes(settings, cluster, claim, after=cni.ready)


def run(
    recorder: Recorder, settings: Settings, strategy: Strategy = "recreate", *, due: bool = True
) -> dict[str, pulumi.runtime.MockResourceArgs]:
    @pulumi.runtime.test
    def program() -> None:
        build(settings, strategy, due)

    program()
    return recorder.resources


def test_type_tokens_are_static(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "flannel"}))
    tokens = {args.typ for args in resources.values() if args.typ.startswith("cni-migration:")}
    assert tokens == {
        f"cni-migration:index:{name}"
        for name in ("KindCluster", "Migration", "TrafficProbe", "NodeCleanup", "Flannel", "KubeProxy")
    }, "a token that changes replaces everything below it"


def test_every_step_of_a_migration_has_the_claim_among_its_triggers(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}))
    steps = [args for name, args in resources.items() if name.startswith("migration-") and "triggers" in args.inputs]
    assert len(steps) == 8, sorted(resources)
    for step in steps:
        assert step.inputs["triggers"] == ["g", "7", "cilium"], f"{step.name} would not run in the next migration"


def test_the_cluster_itself_has_no_trigger(recorder: Recorder) -> None:
    cluster = run(recorder, parse({"cni": "cilium"}))["cluster-kind"]
    assert "triggers" not in cluster.inputs, "a replacement would delete the cluster"
    assert cluster.inputs["environment"]["GENERATION"] == "g", "a new cluster's kubeconfig would never be read"


def test_no_command_names_a_path_of_one_machine(recorder: Recorder) -> None:
    for args in run(recorder, parse({"cni": "cilium"})).values():
        if args.typ == "command:local:Command":
            assert args.inputs["create"].startswith("components/scripts/"), (
                "the state would be of use in one clone only"
            )


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
    resources = run(recorder, parse({"cni": "cilium"}), "rolling")
    moves = [name for name in resources if name.startswith("moves-cni-migration-")]
    assert sorted(moves) == [f"moves-cni-migration-{node}" for node in ("control-plane", "worker", "worker2")]
    assert not [name for name in resources if "cleanup" in name or "evict" in name]
    assert resources["migration-gate"].inputs["create"].endswith("keep.sh"), "a running CNI would be taken down"
    assert resources["cilium-release"].inputs["skipAwait"] is True, "Helm would wait for nodes that have yet to move"


def test_a_move_leaves_the_routes_that_it_needs_and_the_services_that_are_still_asked(recorder: Recorder) -> None:
    move = run(recorder, parse({"cni": "cilium"}), "rolling")["moves-cni-migration-worker"]
    assert "rule 244" not in move.inputs["stdin"] and "KUBE-" not in move.inputs["stdin"]
    assert "chains KUBE-" in move.inputs["environment"]["SERVICES_RESIDUE"], "kube-proxy's rules would stay for ever"
    assert "link cni0" in move.inputs["stdin"], "a cni0 left behind cost the article's author a day"
