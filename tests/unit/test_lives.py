"""What the report says of the Pods that ran when a migration began, and what is noted of them until then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from steps.findings.lives import Life, compared, life_of, read, written
from steps.running import StepError

LIFE = Life(uid="u", address="10.244.1.9", restarts=1, started="2026-01-01T00:00:00Z", ended=False)


def item(*statuses: dict[str, Any], **status: Any) -> dict[str, Any]:
    told = {"containerStatuses": list(statuses)} if statuses else {}
    return {"metadata": {"uid": "u"}, "status": {"phase": "Running", "podIP": "10.244.1.9", **told, **status}}


def container(name: str, restarts: int, **state: Any) -> dict[str, Any]:
    return {"name": name, "restartCount": restarts, "state": state, "ready": bool(state.get("running"))}


def test_a_pod_that_nobody_has_touched_is_kept() -> None:
    said = compared({"default/web": LIFE}, {"default/web": LIFE, "default/new": replace(LIFE, uid="other")})
    assert said == {"before": 1, "kept": 1, "gone": [], "ended": [], "restarted": [], "otherAddress": []}, (
        "a migration that touched no Pod would be told as one that did"
    )


def test_a_pod_that_was_deleted_or_has_another_in_its_place_is_gone() -> None:
    before = {"default/web-0": LIFE, "default/bare": replace(LIFE, uid="v"), "default/on": replace(LIFE, uid="w")}
    said = compared(before, {"default/web-0": replace(LIFE, uid="other"), "default/on": replace(LIFE, uid="w")})
    since = "(since 2026-01-01T00:00:00Z)"
    assert said["gone"] == [f"default/bare {since}", f"default/web-0 {since}"], (
        "a StatefulSet's new Pod would pass for the old one"
    )
    assert (said["before"], said["kept"]) == (3, 1), "a Pod that was lost would be counted as kept"
    assert said["restarted"] == [], "a replaced Pod would be told twice"


def test_a_pod_that_was_started_again_is_told_with_the_counts_of_its_restarts() -> None:
    now = replace(LIFE, restarts=3)
    said = compared({"default/web": LIFE}, {"default/web": now})
    assert said["restarted"] == ["default/web (1 to 3 restarts)"], "nobody would see that its process had ended"
    assert said["kept"] == 0, "a restarted Pod would be counted as kept"


def test_a_pod_that_has_done_its_work_is_neither_lost_nor_kept() -> None:
    said = compared({"default/job": LIFE}, {"default/job": replace(LIFE, ended=True, address="")})
    assert (said["ended"], said["gone"], said["otherAddress"]) == (["default/job"], [], []), "a Job would seem lost"
    assert said["kept"] == 0, "a Pod that has ended would be told as one that runs"


def test_a_pod_that_has_another_address_is_told_with_both() -> None:
    said = compared({"default/web": LIFE}, {"default/web": replace(LIFE, address="10.244.1.77")})
    assert said["otherAddress"] == ["default/web (10.244.1.9 to 10.244.1.77)"], "whoever held the old one is not told"
    assert (said["kept"], said["gone"], said["restarted"]) == (0, [], []), "it would be kept, or lost, in the report"


def test_a_pod_that_was_started_again_and_moved_is_one_that_was_not_kept() -> None:
    now = replace(LIFE, address="10.244.1.77", restarts=2)
    said = compared({"a/b": LIFE, "a/c": LIFE}, {"a/b": now, "a/c": LIFE})
    assert said["kept"] == 1, "one Pod would be taken off twice"


@pytest.mark.parametrize(
    ("lost", "last"), [(20, "a/p19 (since 2026-01-01T00:00:00Z)"), (21, "and 1 more"), (45, "and 25 more")]
)
def test_the_list_of_pods_ends_after_twenty_and_says_how_many_more_there_are(lost: int, last: str) -> None:
    said = compared({f"a/p{number:02}": LIFE for number in range(lost)}, {})
    assert said["gone"][-1] == last, "the report would hide Pods, or name more than there are"
    names = [name.split()[0] for name in said["gone"][:20]]
    assert names == [f"a/p{number:02}" for number in range(20)], "the first twenty would not be named"
    assert len(said["gone"]) == min(lost, 21), "a strategy that drains would print a thousand names"


def test_a_pod_whose_containers_have_no_status_yet_has_a_life() -> None:
    assert life_of(item()) == replace(LIFE, restarts=0, started=""), "no report would be written"
    assert life_of(item(containerStatuses=None)).restarts == 0, "no report would be written for a list that is null"
    nowhere = {"metadata": {"uid": "u"}, "status": {}}
    assert life_of(nowhere).address == "", "a Pod that has no address yet would cost the report"


def test_restarts_of_every_container_and_of_sidecars_are_seen() -> None:
    life = life_of(item(container("app", 1), container("side", 4), initContainerStatuses=[container("native", 2)]))
    assert life.restarts == 7, "a process that had ended would pass for one that runs on"
    assert life_of(item(phase="Succeeded")).ended and life_of(item(phase="Failed")).ended
    assert life_of(item(startTime="2026-01-01T00:00:00Z")).started == "2026-01-01T00:00:00Z"


def test_what_is_noted_is_read_again_as_it_was() -> None:
    lives = {"default/web": LIFE, "kube-system/dns": Life(uid="v", address="", restarts=0, started="", ended=False)}
    assert read(written(lives)) == lives, "every Pod would be told as another than it was"
    assert read(written({})) == {}, "a cluster without Pods would have no report"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"a/b": []}', '{"a/b": {"uid": "u"}}', '{"a/b": {"uid": "u", "mac": "aa"}}', "7"]
)
def test_a_note_that_was_cut_off_or_is_another_s_is_said_and_not_a_crash(text: str) -> None:
    with pytest.raises(StepError, match="what was noted of the Pods cannot be read"):
        read(text)
