"""A migration that stops between two nodes: how far an `up` goes, what it promises meanwhile, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from plan.ownership import Claim, Marker, Owner, Progress, describe, marker_from, plan_claim
from plan.stage import Stage, stage_of, standing
from settings import parse
from settings.errors import SettingsError
from settings.strategy import RECREATE, ROLLING, Strategy
from steps import recordings
from steps.findings.mixed import judge_mixed
from steps.findings.verdict import Measured, Reach, Status
from steps.findings.wire import Pair
from steps.nodes import Node
from steps.verify import Needs, astray

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
W, W2, CP = "cni-migration-worker", "cni-migration-worker2", "cni-migration-control-plane"
MARKER = Marker(stack="cilium", cni="cilium", generation="g", epoch=2, phase="migrating", strategy=ROLLING)
FLANNEL, CILIUM = "flannel", "cilium"


def paused(*moved: str, leg: int = 1) -> Marker:
    return replace(MARKER, progress=Progress(moved=moved, leg=leg, paused=True))


def planned(marker: Marker | None, after: int = 0, strategy: Strategy = ROLLING, **more: Any) -> tuple[Claim, Stage]:
    claim = plan_claim(marker, "cilium", "cilium", strategy, NOW)
    migration: dict[str, Any] = {"strategy": "rolling", "pauseAfter": after, **more}
    return claim, stage_of(claim, parse({"cni": "cilium", "migration": migration}).migration)


def told(marker: Marker, after: int) -> str:
    claim, stage = planned(marker, after)
    return describe(marker, claim, "c", exists=True) + standing(claim, stage)


# How far an `up` goes.


def test_without_the_setting_every_node_is_to_move_and_nothing_runs_a_second_time() -> None:
    _, stage = planned(MARKER)
    assert stage == Stage(groups=[[W], [W2], [CP]]) and stage.again == [], "every state there is would see a change"


def test_a_migration_stops_behind_the_number_of_nodes_that_is_set() -> None:
    _, stage = planned(MARKER, 1)
    assert (stage.moved, stage.pending, stage.leg) == ((W,), (W2, CP), 0)


def test_a_group_that_moves_side_by_side_is_cut_where_the_pause_is() -> None:
    cluster = {"workers": 3}
    claim = plan_claim(MARKER, "cilium", "cilium", ROLLING, NOW)
    migration = {"strategy": "rolling", "atATime": 2, "pauseAfter": 3}
    stage = stage_of(claim, parse({"cni": "cilium", "cluster": cluster, "migration": migration}).migration)
    assert stage.groups == [[W, W2], [f"{W}3"]], "a node more would move than the user has allowed"


def test_a_paused_migration_that_is_to_stay_there_has_nothing_to_do() -> None:
    _, first = planned(MARKER, 1)
    _, stage = planned(paused(W), 1)
    assert stage == first, "preview would never be clean while it is paused"


def test_a_larger_number_goes_on_in_a_leg_of_its_own() -> None:
    _, stage = planned(paused(W), 2)
    assert (stage.groups, stage.pending, stage.leg) == ([[W], [W2]], (CP,), 1)
    assert stage.again == ["leg 1"], "what the next nodes cost would not be measured"


def test_without_the_setting_a_paused_migration_goes_to_its_end() -> None:
    _, stage = planned(paused(W, leg=2))
    assert (stage.pending, stage.leg) == ((), 2) and stage.moved == (W, W2, CP)


def test_once_it_has_ended_its_legs_stay_as_they_were() -> None:
    ended = replace(paused(W, leg=2), phase="ready")
    for after in (0, 1):
        claim, stage = planned(ended, after)
        assert not claim.due and (stage.pending, stage.leg) == ((), 2), (
            "the next up would take the last nodes' moves away"
        )


def test_a_smaller_number_moves_no_node_back_and_says_so() -> None:
    _, stage = planned(paused(W, W2, leg=2), 1)
    assert (stage.moved, stage.leg) == ((W, W2), 1), "a node that has moved would be forgotten"
    assert "2 of 3 nodes have moved; this up leaves it there" in told(paused(W, W2, leg=2), 1)


def test_another_order_in_a_pause_leaves_no_node_out_that_has_moved() -> None:
    _, stage = planned(paused(W), 2, nodeOrder=[CP, W2, W])
    assert (stage.moved, stage.pending) == ((W, CP), (W2,)), "two more nodes would move instead of one"


def test_a_leg_that_was_cut_off_is_gone_on_with_though_the_number_is_smaller_by_now() -> None:
    cut_off = replace(MARKER, progress=Progress(moved=(W,), leg=1, paused=False))
    _, stage = planned(cut_off, 1)
    assert stage.leg == 1, "a node that is half moved would be taken for one that waits"


def test_a_strategy_that_cannot_pause_does_not() -> None:
    assert planned(None, 1, RECREATE)[1].pending == () and planned(None, 1, ROLLING)[1].pending == (W2, CP)
    made = plan_claim(None, "cilium", "cilium", ROLLING, NOW, exists=False)
    migration = parse({"cni": "cilium", "migration": {"strategy": "rolling", "pauseAfter": 1}}).migration
    assert stage_of(made, migration).pending == (), "a new cluster would come up on one node"


def test_the_preview_says_where_a_migration_stands_and_how_far_it_will_go() -> None:
    flannels = replace(MARKER, stack="flannel", cni="flannel", phase="ready")
    assert "strategy rolling); it will pause after 1 of 3 nodes" in told(flannels, 1)
    assert told(paused(W), 1).endswith("is paused: 1 of 3 nodes have moved; this up leaves it there")
    assert told(paused(W), 2).endswith("1 of 3 nodes have moved; this up will pause after 2 of 3 nodes")
    assert told(paused(W), 0).endswith("1 of 3 nodes have moved; this up will go on to the end")
    assert "will go on; it will pause after 1 of 3 nodes" in told(MARKER, 1), "one that was cut off is none that waits"
    assert "not finished" not in told(paused(W), 1)


# The marker.


def test_the_marker_says_where_it_was_paused_and_who_owned_the_cluster_before() -> None:
    data = {"stack": "cilium", "cni": "cilium", "epoch": "2", "phase": "migrating", "strategy": "rolling"}
    read = marker_from({**data, "moved": f"{W} {W2}", "leg": "2", "holder": "", "previous": "flannel flannel"})
    assert read.progress == Progress(moved=(W, W2), leg=2, paused=True)
    assert read.previous == Owner(stack="flannel", cni="flannel")
    gone_on = marker_from({**data, "moved": W, "leg": "1", "holder": "host 1 x"})
    assert not gone_on.progress.paused, "two would go on at once"
    strange = marker_from({**data, "leg": "x", "previous": "flannel rm"})
    assert strange.previous is None and strange.progress == Progress(), "a marker by hand would name a CNI there is not"


def test_a_claim_knows_who_had_the_cluster_before() -> None:
    flannels = replace(MARKER, stack="flannel", cni="flannel", phase="ready")
    assert planned(flannels)[0].previous == Owner(stack="flannel", cni="flannel")
    gone_on = replace(MARKER, previous=Owner(stack="flannel", cni="flannel"))
    assert planned(gone_on)[0].previous == gone_on.previous, "an up that goes on would have itself before itself"
    assert planned(gone_on, strategy=RECREATE)[0].previous == gone_on.previous, "a rollback would bring back the same"
    assert planned(replace(MARKER, stack="flannel", cni="none"))[0].previous is None


# The settings.


@pytest.mark.parametrize(
    ("migration", "said"),
    [
        ({"pauseAfter": 1, "strategy": "recreate"}, "migration.pauseAfter: 1, and recreate moves all nodes at once"),
        ({"pauseAfter": 3, "strategy": "rolling"}, "3 leaves none of the 3 nodes to go on with; set it to 2 or less"),
        ({"pauseAfter": -1, "strategy": "rolling"}, "migration.pauseAfter: -1 must be a whole number from 0"),
        ({"pauseAfter": "all", "strategy": "rolling"}, "migration.pauseAfter: 'all' must be a whole number"),
    ],
)
def test_where_it_cannot_pause_is_said_with_the_key_and_the_remedy(migration: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({"cni": "cilium", "migration": migration})
    assert said in str(refused.value) and str(refused.value).count("\n") == 1, str(refused.value)


def test_a_refused_strategy_is_not_refused_twice() -> None:
    with pytest.raises(SettingsError) as refused:
        parse({"cni": "cilium", "migration": {"pauseAfter": 1, "strategy": "roling"}})
    assert "pauseAfter" not in str(refused.value), "the user would mend what is not wrong"


# What is promised meanwhile.


NODES = ("a", "b")
OWNERS = {"a": CILIUM, "b": FLANNEL}


def measured(
    pairs: Sequence[Pair] | None = None,
    reaches: Sequence[Reach] = (),
    flannel: str = "vxlan",
    proxy: bool | None = False,
) -> Measured:
    bare = [
        Pair(from_node=one, to_node=other, packets=5, lengths=(84,), encapsulations=("none",))
        for one, other in (("a", "b"), ("b", "a"))
    ]
    fine = [Reach(where=f"{node} probe", services=True, dns=True, why="", pods={"a": True}) for node in NODES]
    return Measured(
        pairs=bare if pairs is None else pairs,
        reaches=reaches or fine,
        statuses=[
            Status(node="a", routing="native", kube_proxy_replacement=True, masquerading="bpf"),
            Status(node="b", routing=flannel, kube_proxy_replacement=proxy, masquerading="iptables"),
        ],
    )


def test_a_cluster_on_two_cnis_is_right_where_each_node_does_what_its_own_promises() -> None:
    verdict = judge_mixed(CILIUM, OWNERS, measured(), 5)
    assert verdict.ok and verdict.why == ""
    assert (verdict.encapsulation, verdict.icmp_wire_bytes, verdict.routing) == ("none", 84, "native,vxlan")


def test_a_tunnel_between_two_nodes_is_no_pause_that_was_promised() -> None:
    tunnel = Pair(from_node="b", to_node="a", packets=5, lengths=(134,), encapsulations=("vxlan",))
    why = judge_mixed(CILIUM, OWNERS, measured(pairs=[tunnel]), 5).why
    assert "b to a: none, 84 bytes expected, vxlan, 134 bytes found" in why, "a node without its routes would pass"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (measured(flannel="none"), "b (flannel): routing vxlan expected, none found"),
        (measured(proxy=None), "b (flannel): kubeProxyReplacement false expected, nobody found"),
        (measured(reaches=[Reach(where="a probe", services=True, dns=False, why="", pods={})]), "a probe: no dns"),
        (
            measured(reaches=[Reach(where="a probe", services=True, dns=True, why="", pods={"b": False})]),
            "a probe: no TCP to the Pod on b",
        ),
    ],
    ids=["routing", "services", "dns", "tcp"],
)
def test_whatever_is_less_than_promised_fails_the_pause(found: Measured, said: str) -> None:
    verdict = judge_mixed(CILIUM, OWNERS, found, 5)
    assert not verdict.ok and said in verdict.why, "a broken cluster would wait for days as a good one"


def test_lost_pings_and_a_cilium_in_a_tunnel_fail_the_pause() -> None:
    lost = Pair(from_node="a", to_node="b", packets=3, lengths=(84,), encapsulations=("none",))
    assert "a to b: 3 of 5 pings arrived" in judge_mixed(CILIUM, OWNERS, measured(pairs=[lost]), 5).why
    other = judge_mixed(CILIUM, {"a": FLANNEL, "b": FLANNEL}, measured(), 5).why
    assert "a (flannel): routing vxlan expected, native found" in other


def test_a_node_that_has_not_the_cni_it_is_to_have_fails_the_pause() -> None:
    plain = Node(
        name="a",
        pod_cidr="",
        address="",
        owner="none",
        ready=True,
        cordoned="no",
        taints=(),
        annotations={},
        allocatable={},
    )
    needs = Needs(cluster="c", cni="cilium", service_port=1, pending=("b",))
    found = [plain, replace(plain, name="b", owner="flannel")]
    assert astray(found, needs) == ["a has none by its label, and cilium was expected"]
    assert astray(found, replace(needs, pending=())) == [], "the end of a migration is judged by the whole promise"


def test_each_leg_has_a_recording_of_its_own() -> None:
    names = {recordings.name_of("20260101T000000", "7", leg) for leg in (0, 1, 12)}
    assert names == {"20260101T000000-7", "20260101T000000leg1-7", "20260101T000000leg12-7"}, (
        "the report of a later leg would be the first one's again"
    )
