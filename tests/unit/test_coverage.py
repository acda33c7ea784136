"""Whether a recording is whole: the silence of a prober is told from the silence of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steps.findings.coverage import Coverage, coverage

START, END = 100_000, 200_000  # ms
STEPS = (f"{START} step before", f"{START + 1} prober p", f"{END} step end")
NONE = (STEPS[0], STEPS[2])


def log(prober: str, first: int, last: int, *ends: str) -> list[str]:
    """A prober that begins, beats each half second until `last`, and then says so."""
    beats = [f"{ms} {prober} beat - - 0" for ms in range(first, last, 500)]
    return [f"{first} {prober} begin - - 200", *beats, *[f"{last} {prober} {end} - - 0" for end in ends]]


def covered(*lines: str, steps: Sequence[str] = STEPS, max_gap_ms: int = 1000, **others: Sequence[str]) -> Coverage:
    logs: Mapping[str, Sequence[str]] = {"a": lines, **others}
    return coverage(logs, steps=steps, max_gap_ms=max_gap_ms)


WHOLE = log("p", START - 5, END + 400, "done")


def test_a_prober_that_beats_from_the_beginning_until_it_is_done_is_whole() -> None:
    found = covered(*WHOLE)
    assert (found.why, found.probers, found.whole) == ("", 1, 1), found


def test_a_prober_that_is_drained_and_its_successor_are_whole() -> None:
    found = covered(*WHOLE, *log("old", START, START + 9000, "end"), *log("new", START + 12_000, END + 300, "done"))
    assert found.why == "" and found.whole == 3, "each drain of a node would make the migration unmeasured"


def test_a_node_without_a_prober_between_two_is_named() -> None:
    late = covered(*log("old", START, START + 9000, "end"), *log("new", START + 60_000, END + 300, "done"), steps=NONE)
    assert late.why == "on a no prober recorded for 51.0 s 9.0 s after the recording's beginning", (
        "what failed meanwhile would pass for nothing that failed"
    )
    soon = covered(*log("old", START, START + 9000, "end"), *log("new", START + 15_000, END + 300, "done"), steps=NONE)
    assert soon.why == ""


def test_a_prober_that_crashed_is_named_and_so_is_one_that_began_again() -> None:
    crashed = covered(*WHOLE, *log("q", START, START + 20_000))
    assert "q said nothing of its end" in crashed.why and "19.5 s after" in crashed.why, "its silence would be calm"
    again = covered(*WHOLE, *log("q", START, START + 20_000), *log("q", START + 23_000, END + 1, "done"))
    assert again.why == "q ended without a word 19.5 s after the recording's beginning, for 3.5 s"


def test_a_prober_that_was_frozen_is_named_and_one_that_starved_is_not() -> None:
    frozen = [line for line in WHOLE if not 120_000 < int(line.split()[0]) < 131_000]
    assert covered(*frozen).why.startswith("p was silent for 11."), "a full disk would pass for a calm network"
    starved = [line for line in WHOLE if not 120_000 < int(line.split()[0]) < 125_000]
    assert covered(*starved).why == "", "what starvation is, the control says"


def test_a_recording_that_was_given_up_before_its_end_is_named() -> None:
    assert "p gave the recording up 50.0 s after" in covered(*log("p", START, START + 50_000, "done")).why


def test_a_prober_that_is_not_done_after_the_end_is_named() -> None:
    assert "p said nothing of its end" in covered(*log("p", START, END + 2000)).why, "the last failures would be lost"


def test_a_prober_that_was_there_and_left_nothing_is_named() -> None:
    found = covered(*WHOLE, steps=(*STEPS, f"{START} prober lost"))
    assert (found.why, found.probers, found.whole) == ("lost recorded nothing", 2, 1)


def test_a_node_on_which_nobody_recorded_until_the_end_is_named() -> None:
    gone = log("q", START, START + 9000, "end")
    assert covered(*WHOLE, b=gone).why == "on b no prober recorded until the end", "a whole node could be unseen"
    assert covered(*WHOLE, b=()).why == "on b no prober recorded until the end"


def test_a_hole_that_cannot_hide_a_gap_beyond_the_budget_is_none() -> None:
    lines = [*log("p", START, START + 20_000), *log("p", START + 60_000, END + 1, "done")]
    assert covered(*lines, max_gap_ms=3_600_000).why == "", "a node that is started again could never be allowed"


def test_what_was_before_the_recording_is_no_part_of_it() -> None:
    assert covered(*log("old", 10, 5000), *log("p", 20, 9000, "done"), *WHOLE).why == ""


def test_half_lines_and_a_recording_without_an_end_are_seen() -> None:
    assert covered(*WHOLE, "99", "x y z w", "").why == ""
    assert covered(*WHOLE, steps=STEPS[:1]).why == "the recording has no beginning or no end"


def test_a_few_are_named_and_the_others_counted() -> None:
    steps = (*STEPS, *(f"{START} prober q{n}" for n in range(9)))
    assert covered(*WHOLE, steps=steps).why.endswith("q4 recorded nothing; and 4 more")
