"""In which order nodes move, and how many at a time."""

from __future__ import annotations

import pytest

from settings import SettingsError, parse
from settings.kind import move_groups


def groups(**migration: object) -> list[list[str]]:
    tree = {"cni": "cilium", "cluster": {"name": "c", "workers": 3}, "migration": {"strategy": "rolling", **migration}}
    return [list(group) for group in parse(tree).migration.move_groups]


def test_workers_move_first_one_by_one_and_the_control_plane_last() -> None:
    assert groups() == [["c-worker"], ["c-worker2"], ["c-worker3"], ["c-control-plane"]]


def test_several_at_a_time_move_side_by_side_but_a_control_plane_moves_alone() -> None:
    assert groups(atATime=2) == [["c-worker", "c-worker2"], ["c-worker3"], ["c-control-plane"]]
    two = move_groups(["a", "cp", "cp2", "b"], ["cp", "cp2"], 4)
    assert two == [["a"], ["cp"], ["cp2"], ["b"]], "two control planes at once could take the API's quorum away"


def test_an_order_of_the_user_s_own_is_kept() -> None:
    order = ["c-control-plane", "c-worker3", "c-worker", "c-worker2"]
    assert [node for group in groups(nodeOrder=order) for node in group] == order


@pytest.mark.parametrize(
    ("migration", "said"),
    [
        ({"nodeOrder": ["c-worker", "c-worker9"]}, "'c-worker9' is no node of this cluster"),
        ({"nodeOrder": ["c-worker"]}, "c-control-plane, c-worker2, c-worker3 missing"),
        ({"nodeOrder": ["c-worker", "c-worker"]}, "c-worker more than once"),
        ({"nodeOrder": "c-worker"}, "must be a list of names"),
        ({"atATime": 3}, "would drain all 3 workers at once"),
        ({"drainSeconds": 0}, "migration.drainSeconds: 0"),
        ({"allowUnenforcedPolicies": "perhaps"}, "must be true or false"),
        ({"budget": {"longestGapSeconds": "long"}}, "migration.budget.longestGapSeconds: 'long'"),
        ({"budget": {"longestGapSeconds": 0.5}}, "less than three requests apart at traffic.hertz 5"),
        ({"budget": {"failures": 1}}, "migration.budget.failures: unknown key"),
        ({"strategy": "roling"}, "'roling' is unknown; set it to one of: recreate, rolling"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(migration: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        groups(**migration)
    assert said in str(caught.value), "the user would learn of it in the middle of a migration"


def test_rolling_without_a_measurement_is_refused_and_both_keys_are_named() -> None:
    tree = {"cni": "cilium", "migration": {"strategy": "rolling"}, "traffic": {"enabled": False}}
    with pytest.raises(
        SettingsError, match=r"migration\.strategy: rolling .* traffic\.enabled is false; set .* recreate"
    ):
        parse(tree)
    assert parse({**tree, "migration": {"strategy": "recreate"}}).traffic.enabled is False


def test_who_names_no_strategy_loses_no_pod_and_is_told_what_it_takes() -> None:
    assert parse({"cni": "cilium"}).migration.strategy.keeps_pods, "an `up` would restart every Pod without being asked"
    with pytest.raises(SettingsError, match=r"migration\.strategy: live .* set .* migration\.strategy to recreate"):
        parse({"cni": "cilium", "traffic": {"enabled": False}})


def test_rolling_with_a_single_worker_is_refused_since_its_pods_have_nowhere_to_go() -> None:
    tree = {"cni": "cilium", "cluster": {"workers": 1}, "migration": {"strategy": "rolling"}}
    with pytest.raises(SettingsError, match="rolling needs two workers"):
        parse(tree)
