"""The marker and the claim: when a migration begins, and when nothing is to be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plan.ownership import Claim, Marker, UnknownStrategyError, describe, marker_from, plan_claim
from settings.strategy import RECREATE, ROLLING

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MARKER = Marker(stack="flannel", cni="flannel", generation="g1", epoch=4, phase="ready")


def test_the_owner_with_the_same_cni_has_nothing_to_do() -> None:
    claim = plan_claim(MARKER, "flannel", "flannel", RECREATE, NOW)
    assert claim.triggers == ["g1", "4", "flannel"], "a second up would migrate the cluster again"


def test_another_stack_gets_the_next_epoch() -> None:
    claim = plan_claim(MARKER, "cilium", "cilium", RECREATE, NOW)
    assert (claim.epoch, claim.generation) == (5, "g1"), "the take-over would trigger nothing"


def test_another_cni_of_the_same_stack_gets_the_next_epoch() -> None:
    assert plan_claim(MARKER, "flannel", "cilium", RECREATE, NOW).epoch == 5, "a change of `cni` would trigger nothing"


def test_a_cluster_without_a_marker_gets_a_generation_of_its_own() -> None:
    claim = plan_claim(None, "flannel", "flannel", RECREATE, NOW)
    assert claim == Claim(
        stack="flannel",
        cni="flannel",
        generation="20260102T030405",
        epoch=1,
        strategy=RECREATE,
        due=True,
        interrupts=True,
    ), "a stack with the state of an earlier cluster would see no change and install nothing"


def test_a_marker_with_missing_or_strange_fields_can_still_be_taken_over() -> None:
    marker = marker_from({"epoch": "x"})
    assert marker.epoch == 0 and plan_claim(marker, "a", "cilium", RECREATE, NOW).epoch == 1, (
        "a broken marker would be for ever"
    )


def test_the_preview_names_the_owner_of_now_and_the_owner_to_be() -> None:
    text = describe(MARKER, plan_claim(MARKER, "cilium", "cilium", RECREATE, NOW), "c", exists=True)
    assert "owned by stack flannel with flannel (epoch 4, ready)" in text, "the reviewer would not see whose it is"
    assert "stack cilium will own it with cilium (epoch 5, strategy recreate)" in text, (
        "the reviewer would not see who takes it"
    )


def test_the_preview_says_that_a_migration_was_cut_off() -> None:
    marker = Marker(stack="a", cni="cilium", generation="g", epoch=2, phase="migrating")
    assert "not finished" in describe(marker, plan_claim(marker, "a", "cilium", RECREATE, NOW), "c", exists=True)


def test_the_preview_says_where_there_is_no_cluster_and_where_nobody_owns_it() -> None:
    claim = plan_claim(None, "a", "cilium", RECREATE, NOW)
    assert "there is none; it will be created" in describe(None, claim, "c", exists=False)
    assert "nobody has claimed it; it will be adopted" in describe(None, claim, "c", exists=True)


def test_a_cluster_that_is_as_it_should_be_keeps_the_strategy_it_came_by() -> None:
    claim = plan_claim(MARKER, "flannel", "flannel", ROLLING, NOW)
    assert (claim.strategy, claim.epoch, claim.due) == (RECREATE, 4, False), "a change of the settings alone would run"


def test_another_strategy_halfway_is_a_migration_of_its_own() -> None:
    halfway = replace(MARKER, phase="migrating", strategy=ROLLING)
    claim = plan_claim(halfway, "flannel", "flannel", RECREATE, NOW)
    assert (claim.strategy, claim.epoch) == (RECREATE, 5), "its gate would not open"
    goes_on = plan_claim(halfway, "flannel", "flannel", ROLLING, NOW)
    assert (goes_on.strategy, goes_on.epoch, goes_on.due) == (ROLLING, 4, True), "moved nodes would move again"


def test_what_recreate_took_down_halfway_is_not_rolled() -> None:
    halfway = replace(MARKER, phase="migrating")
    for stack in ("flannel", "cilium"):
        claim = plan_claim(halfway, stack, stack, ROLLING, NOW)
        assert claim.strategy == RECREATE, "a drain would wait for Pods that no network can take"


def test_a_new_cluster_is_never_rolled_and_one_that_nobody_claimed_is_refused_by_preflight() -> None:
    assert plan_claim(None, "a", "cilium", ROLLING, NOW, exists=False).strategy == RECREATE
    assert plan_claim(None, "a", "cilium", ROLLING, NOW, exists=True).strategy == ROLLING, (
        "who asked for no outage would get one"
    )


def test_a_strategy_that_this_version_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownStrategyError, match="'teleport'"):
        marker_from({"stack": "a", "strategy": "teleport"})  # read as recreate, a half-done move would be torn down


def test_a_claim_interrupts_where_it_takes_a_network_down_that_may_serve() -> None:
    assert plan_claim(MARKER, "cilium", "cilium", RECREATE, NOW).interrupts, "a policy would let an outage pass"
    assert plan_claim(None, "cilium", "cilium", RECREATE, NOW).interrupts, "a cluster of nobody's may serve as well"
    assert not plan_claim(MARKER, "cilium", "cilium", ROLLING, NOW).interrupts, (
        "a policy would bar the way that is left"
    )


def test_a_claim_interrupts_nothing_where_nothing_serves_or_nothing_is_due() -> None:
    assert not plan_claim(None, "cilium", "cilium", RECREATE, NOW, exists=False).interrupts, "no cluster could be made"
    assert not plan_claim(MARKER, "flannel", "flannel", RECREATE, NOW).interrupts, "a cluster that is done is blamed"
    down = Marker(stack="a", cni="cilium", generation="g", epoch=2, phase="migrating")
    for stack in ("a", "b"):
        assert not plan_claim(down, stack, "cilium", RECREATE, NOW).interrupts, "a network that is down would stay down"
    half = Marker(stack="a", cni="cilium", generation="g", epoch=2, phase="migrating", strategy=ROLLING)
    assert plan_claim(half, "b", "cilium", RECREATE, NOW).interrupts, "half a rolling move still serves"
