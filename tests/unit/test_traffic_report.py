"""What becomes of a recording: counts, gaps and broken connections of each step, and the judgement by the budget."""

from __future__ import annotations

import time
from typing import Any

import pytest

from steps.findings.coverage import Coverage, coverage
from steps.findings.interruption import report_of

START = 1_700_000_000_000  # ms; the lines below count from here


def report(*lines: str, strategy: str = "rolling", max_failures: int = 0, max_gap_ms: int = 1000) -> dict[str, Any]:
    text = [f"{START + int(ms)} {rest}\n" for ms, rest in (line.split(" ", 1) for line in lines)]
    return report_of(text, strategy=strategy, max_failures=max_failures, max_gap_ms=max_gap_ms).as_json()


def ok(*times: int, prober: str = "p", kind: str = "service", target: str = "service") -> list[str]:
    return [f"{ms} {prober} {kind} {target} ok 2" for ms in times]


def longest(result: dict[str, Any], step: int, kind: str = "service") -> float:
    return result["steps"][step]["kinds"][kind]["longestGapSeconds"]


STEPS = ("0 step before", "1000 step move c-worker", "5000 step end")


def in_order(*lines: str) -> list[str]:
    return sorted(lines, key=lambda line: int(line.split()[0]))


def test_requests_and_failures_are_counted_by_kind_and_by_the_step_they_were_made_in() -> None:
    result = report(
        *in_order(
            *STEPS,
            *ok(100, 200, 1100),
            "1200 p service service failed:ETIMEDOUT 100",
            "1300 p pod traffic-b failed:ETIMEDOUT 100",
            "1300 p dns dns ok 1",
            "1400 p api api ok 9",
        ),
        max_failures=2,
    )
    assert (result["measured"], result["requests"], result["failures"]) == (True, 7, 2)
    assert list(result["kinds"]) == ["service", "pod", "dns", "api", "held"]
    assert result["kinds"]["service"]["requests"] == 4 and result["kinds"]["pod"]["failures"] == 1
    before, move = result["steps"]
    assert (before["step"], move["step"]) == ("before", "move c-worker")
    assert before["kinds"]["service"] == {
        "requests": 2,
        "failures": 0,
        "longestGapSeconds": 0.9,
        "starvedSeconds": 0.0,
        "starvedRequests": 0,
        "slowestSeconds": 0.002,
        "connectionsBroken": 0,
    }
    assert move["kinds"]["service"]["failures"] == 1, "nobody could tell which step interrupted the workload"
    assert result["withinBudget"] is True and result["why"] == ""


def test_a_request_that_fails_in_a_later_step_is_counted_where_it_was_made() -> None:
    lines = (
        *STEPS,
        *ok(500, 1500, 2500),
        "2000 p dns dns failed:ECONNREFUSED 1500",
        "5100 p api api failed:TimeoutError 3000",
    )
    before, move = report(*in_order(*lines), max_failures=2)["steps"]
    assert before["kinds"]["dns"]["failures"] == 1, "the step after the one that broke it would be blamed"
    assert move["kinds"]["api"]["failures"] == 1, "what fails after the end would be lost"


def test_an_answer_that_came_late_is_told_and_is_no_gap_where_others_came_meanwhile() -> None:
    late = "2100 p service service ok 1050"
    result = report(*in_order(*STEPS, *ok(1000, 1300, 1600, 1900, 2200), late))
    assert result["kinds"]["service"]["slowestSeconds"] == result["slowestSeconds"] == 1.05, (
        "a lost SYN would be hidden"
    )
    assert result["longestGapSeconds"] == 0.3, "one late answer among others would count as an interruption"
    silent = report(*in_order(*STEPS, *ok(1000, 2200), late))
    assert silent["longestGapSeconds"] == 1.1, "a time without any answer would be hidden by when it was asked for"


def test_a_step_lasts_until_the_next_one() -> None:
    result = report(*in_order(*STEPS, *ok(100)))
    assert [step["seconds"] for step in result["steps"]] == [1.0, 4.0], "the times of the steps would mislead"


def test_a_gap_is_of_one_prober_one_kind_and_one_target() -> None:
    lines = in_order(
        *STEPS,
        *ok(1000, 1800, prober="p"),
        *ok(1100, 1200, 1700, prober="q"),
        *ok(1000, 1600, kind="pod", target="traffic-a"),
        *ok(1100, 1500, kind="pod", target="traffic-b"),
    )
    result = report(*lines)
    assert longest(result, 1) == 0.8, "the answers of one prober would hide the silence of another"
    assert longest(result, 1, "pod") == 0.6, "a Pod that answers would hide one that does not"
    assert result["longestGapSeconds"] == 0.8


def test_a_gap_belongs_to_the_step_in_which_it_began() -> None:
    result = report(*in_order(*STEPS, *ok(900, 3000, 3100)))
    assert (longest(result, 0), longest(result, 1)) == (2.1, 0.1), "the wrong step would be blamed"


def test_failures_do_not_end_a_gap() -> None:
    result = report(*in_order(*STEPS, *ok(1000, 3000), "2000 p service service failed:ETIMEDOUT 100"), max_failures=1)
    assert longest(result, 1) == 2.0


def test_a_prober_that_ends_leaves_no_gap_and_one_that_starts_again_neither() -> None:
    ends = report(*in_order(*STEPS, *ok(1000), *ok(1000, 1900, prober="q")))
    assert ends["longestGapSeconds"] == 0.9, "a drained Pod would count as an interruption"
    again = report(*in_order(*STEPS, *ok(1000, 4000), "3900 p begin - - 0"))
    assert again["longestGapSeconds"] == 0, "the time in which nothing was asked would count as an interruption"


def test_a_connection_that_was_broken_counts_and_how_long_its_prober_waited_does_not() -> None:
    held = ok(1000, 3500, kind="held")
    result = report(*in_order(*STEPS, *ok(1000), *held, "1200 p held service broken 10"))
    assert result["connectionsBroken"] == 1, "a connection that was lost would be lost without a word"
    assert longest(result, 1, "held") == 0 and result["withinBudget"], "the prober's patience would break the budget"
    assert result["requests"] == 1, "pings on an open connection are no new connections"


def test_a_connection_that_is_given_up_in_a_later_step_was_broken_by_the_one_before() -> None:
    before, move = report(*in_order(*STEPS, *ok(500, 1500), "1300 p held service broken 1000"))["steps"]
    assert (before["kinds"]["held"]["connectionsBroken"], move["kinds"]["held"]["connectionsBroken"]) == (1, 0), (
        "its prober's patience would blame the wrong step"
    )


def test_a_connection_that_stood_still_and_went_on_is_a_gap() -> None:
    held = ok(1000, 3500, kind="held")
    result = report(*in_order(*STEPS, *ok(1000), *held))
    assert longest(result, 1, "held") == 2.5
    assert result["withinBudget"] is False and "2.500 s (held in move c-worker)" in result["why"]


def test_a_connection_that_a_server_closed_with_a_word_is_neither_broken_nor_a_gap() -> None:
    held = ok(1000, 3500, 3600, kind="held")
    result = report(*in_order(*STEPS, *ok(1000), *held, "1200 p held service closed 10"))
    assert result["connectionsBroken"] == 0 and longest(result, 1, "held") == 0.1, "a drain would count as a fault"


def test_more_failures_than_the_budget_name_step_kind_and_numbers() -> None:
    lines = in_order(*STEPS, *ok(1000, 1500), "1200 p service service failed:ETIMEDOUT 100")
    result = report(*lines)
    assert result["withinBudget"] is False
    first = "the first: p to service, 22:13:21.200"
    failed = f"1 of 3 new connections failed (1 service in move c-worker: ETIMEDOUT; {first})"
    assert result["why"] == f"{failed}, and the budget is 0", "nobody could look for it in a capture"
    assert report(*lines, max_failures=1)["withinBudget"] is True


def test_each_cause_of_a_failure_is_named_once() -> None:
    causes = [f"{1200 + n} p dns dns failed:{cause} 0" for n, cause in enumerate(["EPERM", "TimeoutError", "EPERM"])]
    why = report(*in_order(*STEPS, *ok(1000, 1500), *causes))["why"]
    assert "(3 dns in move c-worker: EPERM, TimeoutError; the first: p to dns, 22:13:21.200)" in why, (
        "nobody could tell a lost packet from a refused one"
    )


def test_a_gap_longer_than_the_budget_names_step_kind_and_numbers() -> None:
    lines = in_order(*STEPS, *ok(1000, 2200))
    result = report(*lines)
    assert result["why"] == "the longest gap was 1.200 s (service in move c-worker), and the budget is 1.000 s"
    assert report(*lines, max_gap_ms=1200)["withinBudget"] is True


def test_both_are_named_where_both_are_exceeded() -> None:
    why = report(*in_order(*STEPS, *ok(1000, 2200), "1200 p dns dns failed:ETIMEDOUT 100"))["why"]
    assert "1 dns in move c-worker" in why and "; the longest gap" in why


def test_the_strategy_is_in_the_report_and_recreate_is_judged_as_well() -> None:
    result = report(*in_order(*STEPS, *ok(1000, 4000)), strategy="recreate")
    assert result["strategy"] == "recreate" and result["withinBudget"] is False


def test_what_comes_before_the_first_step_and_after_the_end_is_not_counted() -> None:
    result = report(
        "0 p service service failed:EPERM 1", "10 step before", *ok(20), "30 step end", "40 p dns dns failed:EPERM 1"
    )
    assert (result["requests"], result["failures"]) == (1, 0)


def test_a_step_that_was_cut_off_and_begun_again_is_there_twice() -> None:
    result = report("0 step move a", *ok(10), "20 step move a", *ok(30), "40 step end")
    assert [step["kinds"]["service"]["requests"] for step in result["steps"]] == [1, 1]


def test_a_line_that_a_killed_prober_left_half_written_is_left_out() -> None:
    assert report("0 step before", *ok(10), "15 p serv", "20 step end")["requests"] == 1


def test_where_nothing_was_recorded_nothing_is_claimed() -> None:
    nothing = {"measured": False, "withinBudget": None, "why": "no request was recorded"}
    assert report(*STEPS) == nothing, "an up without a measurement would look like one without an interruption"
    assert report(*in_order(*STEPS, *ok(1000, kind="held"))) == nothing


def test_the_object_has_the_keys_that_readers_of_the_output_know() -> None:
    result = report(*STEPS, *ok(1000))
    gap = ["longestGapSeconds", "starvedSeconds", "starvedRequests"]
    numbers = ["requests", "failures", *gap, "slowestSeconds", "connectionsBroken"]
    assert list(result) == ["measured", "strategy", "withinBudget", "why", *numbers, "kinds", "held", "steps", "basis"]
    assert list(result["steps"][0]) == ["step", "seconds", "kinds"]
    assert list(result["steps"][0]["kinds"]["held"]) == numbers


def test_held_connections_are_told_by_their_class() -> None:
    lines = ("1000 p held a-to-b ok 1", "2600 p held a-to-b ok 1", "1000 p held c ok 1", "1200 p held c broken 10")
    assert report(*in_order(*STEPS, *ok(1000), *lines))["held"] == {
        "a-to-b": {"echoes": 2, "connectionsBroken": 0, "longestGapSeconds": 1.6},
        "c": {"echoes": 1, "connectionsBroken": 1, "longestGapSeconds": 0},
    }, "which way lost its connections would not be known"


def test_lines_may_come_prober_by_prober() -> None:
    lines = (*ok(900, 3000, 3100), *ok(1000, 1900, prober="q"), *STEPS)
    assert report(*lines) == report(*in_order(*lines)), "the logs come one after the other"


def with_control(*control: int, prober: str = "p") -> list[str]:
    return [f"10 {prober} begin - - 200", *[f"{ms} {prober} control control ok 1" for ms in control]]


def starved(prober: str) -> list[str]:
    """One that had no CPU from 1200 to 3900."""
    return with_control(800, 1000, 3900, 4000, prober=prober)


def test_an_outage_with_a_healthy_control_counts_in_full() -> None:
    control = with_control(*range(800, 4000, 200))
    result = report(*in_order(*STEPS, *control, *ok(1000, 2800)))
    assert result["longestGapSeconds"] == 1.8 and result["starvedSeconds"] == 0, "the network would be excused"
    assert result["withinBudget"] is False


def test_what_the_control_missed_as_well_is_starvation_and_not_held_against_the_network() -> None:
    result = report(*in_order(*STEPS, *with_control(800, 1010, 2639, 2800), *ok(1000, 2639)))
    assert result["withinBudget"] is True, "two cores that starve would fail an up in which nothing failed"
    assert (result["starvedSeconds"], result["longestGapSeconds"]) == (1.429, 0.21)
    move = result["steps"][1]["kinds"]["service"]
    assert move["starvedSeconds"] == 1.429 and result["requests"] == 2, "starvation would pass unseen"


@pytest.mark.parametrize("cause", ["TimeoutError", "Unanswered"])
def test_a_request_that_ran_into_its_time_out_while_its_prober_starved_is_told_apart_from_a_failure(cause: str) -> None:
    late = f"4010 p service service failed:{cause} 3000"
    starved = report(*in_order(*STEPS, *with_control(800, 1000, 3900, 4000), *ok(1000, 4010), late))
    assert (starved["failures"], starved["starvedRequests"], starved["requests"]) == (0, 1, 3), (
        "two cores that starve would fail an up in which the network lost nothing"
    )
    for control in (with_control(*range(800, 4200, 200)), with_control(800, 1000, 2200, *range(2400, 4200, 200))):
        failed = report(*in_order(*STEPS, *control, *ok(1000, 4010), late))
        assert (failed["failures"], failed["starvedRequests"]) == (1, 0), "an outage would hide behind starvation"
    refused = late.replace(cause, "ECONNREFUSED")
    told = report(*in_order(*STEPS, *with_control(800, 1000, 3900, 4000), *ok(1000, 4010), refused))
    assert told["failures"] == 1, "what was answered with no is no silence"


def beside_api(*answers: tuple[int, int], prober: str = "h") -> list[str]:
    """Of when, and how long it took."""
    return [f"{ms} {prober} api-control control ok {took}" for ms, took in answers]


@pytest.mark.parametrize(
    ("kind", "target"),
    [("pod", "s"), ("service", "service"), ("api", "api"), ("held", "service"), ("held", "pod-to-api")],
)
def test_what_the_one_who_was_asked_had_no_cpu_for_is_not_held_against_the_network(kind: str, target: str) -> None:
    server = starved("s")
    asked = [*with_control(*range(800, 4400, 200)), *ok(900, kind="pod", target="s"), *server]
    asked += beside_api((1000, 20), (3950, 2900))
    answered = ok(1000, 4010, kind=kind, target=target)
    result = report(*in_order(*STEPS, *asked, *answered))
    assert result["longestGapSeconds"] < 0.5 < 2.5 < result["starvedSeconds"], "a server without CPU fails an up"
    if kind != "held":
        late = f"4010 p {kind} {target} failed:Unanswered 3000"
        told = report(*in_order(*STEPS, *asked, *answered, late))
        assert (told["failures"], told["starvedRequests"]) == (0, 1), "a server without CPU fails an up"
        lost = report(*in_order(*STEPS, *asked, *answered, late.replace("Unanswered", "TimeoutError")))
        assert lost["failures"] == 1, "a connection comes about without the server's process: its packets were lost"


@pytest.mark.parametrize(("kind", "target"), [("service", "service"), ("api", "api")])
def test_one_of_several_that_had_cpu_excuses_nobody(kind: str, target: str) -> None:
    two = [*starved("s"), *with_control(*range(800, 4400, 200), prober="t")]
    two += [*ok(900, kind="pod", target="s"), *ok(900, kind="pod", target="t")]
    two += [*beside_api((3950, 2900)), *beside_api((3000, 30), prober="i")]
    late = f"4010 p {kind} {target} failed:Unanswered 3000"
    result = report(*in_order(*STEPS, *with_control(*range(800, 4400, 200)), *two, late))
    assert (result["failures"], result["starvedRequests"]) == (1, 0), "an outage would hide behind who was not asked"


def test_of_dns_nobody_knows_whether_it_had_cpu() -> None:
    server = starved("s")
    server += [*ok(900, kind="pod", target="s"), *beside_api((3950, 2900))]
    lines = (*with_control(*range(800, 4400, 200)), *server, *ok(1000, 4000, kind="dns", target="dns"))
    assert report(*in_order(*STEPS, *lines))["longestGapSeconds"] == 3.0, "an outage of DNS would hide behind others"


def test_who_is_gone_or_not_there_yet_was_not_asked_and_an_api_that_could_not_be_asked_may_have_been() -> None:
    server = starved("s")
    others = [f"{ms} old control control ok 1" for ms in (100, 300)]
    others += [f"{ms} new control control ok 1" for ms in (4100, 4300)]
    others += [line for name in ("s", "old", "new") for line in ok(900, kind="pod", target=name)]
    asked = [*with_control(*range(800, 4400, 200)), *server, *others]
    late = "4010 p service service failed:Unanswered 3000"
    result = report(*in_order(*STEPS, *asked, late))
    assert (result["failures"], result["starvedRequests"]) == (0, 1), "a rollout would make starvation a failure"
    unknown = report(*in_order(*STEPS, *asked, *ok(950, kind="pod", target="mute"), late))
    assert unknown["failures"] == 1, "one that nothing is known of would be taken for starved"
    late = "4010 p api api failed:Unanswered 3000"
    refuses = [f"{ms} i api-control control failed:ConnectionError 0" for ms in (900, 3000, 4200)]
    result = report(*in_order(*STEPS, *asked, *beside_api((1000, 20), (3950, 2900)), *refuses, late))
    assert (result["failures"], result["starvedRequests"]) == (1, 0), "one API server would excuse another"


def test_a_doubt_that_is_believed_is_starvation_where_its_request_was() -> None:
    server = starved("a")
    doubt = "4010 p pod a doubt:Unanswered 3000"
    lines = (*with_control(*range(800, 4400, 200)), *server, *ok(1000, 4020, kind="pod", target="a"), doubt)
    result = report(*in_order(*STEPS, *lines))
    assert (result["failures"], result["starvedRequests"]) == (0, 1), "a silent API would make starvation a failure"


def test_an_answer_of_the_api_that_came_late_for_want_of_its_asker_excuses_nobody_else() -> None:
    beside = starved("h")
    late = "4010 p api api failed:Unanswered 3000"
    result = report(*in_order(*STEPS, *with_control(*range(800, 4400, 200)), *beside, *beside_api((3950, 2900)), late))
    assert (result["failures"], result["starvedRequests"]) == (1, 0), "one prober without CPU would excuse the others"


def test_of_a_gap_that_is_both_only_the_part_beyond_the_starvation_counts() -> None:
    control = with_control(800, 1000, 2600, *range(2800, 4400, 200))
    result = report(*in_order(*STEPS, *control, *ok(1000, 4200)))
    assert (result["starvedSeconds"], result["longestGapSeconds"]) == (1.4, 1.8), "an outage would hide behind it"


def test_the_control_of_one_prober_excuses_no_other_and_its_own_pace_is_no_starvation() -> None:
    control = ["10 q begin - - 200", "900 q control control ok 1", "3000 q control control ok 1"]
    assert report(*in_order(*STEPS, *control, *ok(1000, 2800)))["starvedSeconds"] == 0
    slow = ["10 p begin - - 1000", *[f"{ms} p control control ok 1" for ms in range(200, 4000, 1000)]]
    assert report(*in_order(*STEPS, *slow, *ok(1000, 2800)))["longestGapSeconds"] == 1.8


def test_a_control_that_begins_again_and_one_without_a_pace_excuse_nothing() -> None:
    again = [*with_control(800), "2700 p begin - - 200", "2710 p control control ok 1"]
    assert report(*in_order(*STEPS, *again, *ok(1000)))["starvedSeconds"] == 0
    old = ["10 p begin - - 0", "900 p control control ok 1", "3000 p control control ok 1"]
    assert report(*in_order(*STEPS, *old, *ok(1000, 2800)))["longestGapSeconds"] == 1.8


def test_a_failure_of_a_pod_that_may_be_gone_counts_unless_it_was() -> None:
    doubt = ("1500 p pod a doubt:ETIMEDOUT 100", "1700 p pod a doubt:ETIMEDOUT 100")
    here = ok(1000, 2500, kind="pod", target="a")
    back = report(*in_order(*STEPS, *doubt, *here), max_failures=9)
    assert (back["failures"], back["requests"], back["longestGapSeconds"]) == (2, 4, 1.5), "a silent API would hide it"
    gone = report(*in_order(*STEPS, *doubt, *here[:1], "2000 p pod a closed 0"), max_failures=9)
    assert (gone["failures"], gone["requests"], gone["longestGapSeconds"]) == (0, 1, 0), "a drain would be a failure"
    unsaid = report(*in_order(*STEPS, *doubt, *here[:1]), max_failures=9)
    assert unsaid["failures"] == 2, "what nobody could ask for would pass for fine"


def test_too_little_recorded_is_not_measured_but_what_was_seen_to_break_the_budget_broke_it() -> None:
    covered = Coverage(probers=3, whole=2, why="q recorded nothing")
    lines = [f"{START} step before\n", f"{START + 5} p service service ok 1\n"]
    known = report_of(lines, strategy="rolling", max_failures=0, max_gap_ms=1000, covered=covered)
    basis = {"probers": {"asked": 3, "answered": 2}}
    assert known.as_json() == {"measured": False, "withinBudget": None, "why": covered.why, "basis": basis}
    lines.append(f"{START + 9} p dns dns failed:EPERM 1\n")
    broken = report_of(lines, strategy="rolling", max_failures=0, max_gap_ms=1000, covered=covered)
    assert broken.within_budget is False and "q recorded nothing; 1 of 2 new connections failed" in broken.why


def test_a_long_recording_is_read_in_seconds() -> None:
    lines = [f"{START + ms} p{ms % 9} service service ok 2\n" for ms in range(200_000)]
    # Every control starves all the time, and every gap is longer than the one before.
    lines += [f"{START} p{n} begin - - 1\n" for n in range(9)]
    lines += [f"{START + ms} p{ms % 9} control control ok 2\n" for ms in range(200_000)]
    lines += [f"{START + ms * ms} p{n} dns dns ok 1\n" for n in range(9) for ms in range(440)]
    steps = [f"{START} step a", f"{START + 200_000} step end"]
    since = time.process_time()
    covered = coverage({"n": lines}, steps=steps, max_gap_ms=1000)
    result = report_of([*lines, *steps], strategy="rolling", max_failures=0, max_gap_ms=1000, covered=covered)
    assert result.total.requests > 200_000 and time.process_time() - since < 60, "an up would wait for its report"


def test_where_pods_are_kept_a_held_connection_that_breaks_is_beyond_the_budget() -> None:
    lines = (*STEPS, *ok(500, 1500), "1200 p held service broken 10")
    text = [f"{START + int(ms)} {rest}\n" for ms, rest in (line.split(" ", 1) for line in in_order(*lines))]
    told: dict[str, Any] = {"strategy": "live", "max_failures": 0, "max_gap_ms": 60_000}
    kept = report_of(text, **told, keeps_pods=True)
    assert kept.within_budget is False and "1 in move c-worker: service" in kept.why, (
        "a connection broke and the up ended well"
    )
    assert report_of(text, **told).within_budget is True, "rolling closes connections to drained Pods by design"
