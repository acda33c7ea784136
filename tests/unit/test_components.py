"""The shape of the components, with Pulumi's mocks: names, parents, options. An order is the engine tests' matter."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

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


def build(settings: Settings) -> None:
    from components.cni import create_cni
    from components.kind_cluster import KindCluster, KindClusterArgs
    from components.migration import Migration, MigrationArgs
    from components.ownership import Claim

    claim = Claim(stack="test", cni=settings.cni, generation="g", epoch=7)
    cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, None, claim))
    migration = Migration("migration", MigrationArgs.of(settings, cluster, claim))
    create_cni(settings, migration.gate, cluster.provider)


def run(recorder: Recorder, settings: Settings) -> dict[str, pulumi.runtime.MockResourceArgs]:
    @pulumi.runtime.test
    def program() -> None:
        build(settings)

    program()
    return recorder.resources


def test_type_tokens_are_static(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "flannel"}))
    tokens = {args.typ for args in resources.values() if args.typ.startswith("cni-migration:")}
    assert tokens == {
        f"cni-migration:index:{name}" for name in ("KindCluster", "Migration", "NodeCleanup", "Flannel", "KubeProxy")
    }, "a token that changes replaces everything below it"


def test_every_step_of_a_migration_has_the_claim_among_its_triggers(recorder: Recorder) -> None:
    resources = run(recorder, parse({"cni": "cilium"}))
    steps = [args for name, args in resources.items() if name.startswith("migration-") and "triggers" in args.inputs]
    assert len(steps) == 7, sorted(resources)
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
    objects = [args for args in resources.values() if args.typ.startswith("kubernetes:") and args.typ.count("/")]
    assert len(objects) >= 10
    for args in objects:
        assert args.inputs["metadata"]["labels"]["app.kubernetes.io/part-of"] == "cni-migration", (
            f"{args.name} would stay when the other stack takes over"
        )


def test_each_cni_runs_only_on_nodes_that_are_labelled_as_its_own(recorder: Recorder) -> None:
    flannel = run(recorder, parse({"cni": "flannel"}))
    for name in ("flannel-daemonset", "flannel-kube-proxy-daemonset"):
        selector = flannel[name].inputs["spec"]["template"]["spec"]["nodeSelector"]
        assert selector["cni-owner"] == "flannel", "two CNIs would hand out addresses of one podCIDR"
    cilium = run(recorder, parse({"cni": "cilium"}))["cilium-release"].inputs
    assert cilium["values"]["nodeSelector"]["cni-owner"] == "cilium"
