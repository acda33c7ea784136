"""The benchmark's results: nothing is lost by an interruption, and all is rendered again without measuring."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import results
from bench.order import Side
from bench.render import BEGIN, END, placed, section
from bench.results import Measure, Pair, ResultsError, Run
from bench.summary import summary

RUN = Run(
    schema=1,
    mode="quick",
    pairs=3,
    seed=7,
    indicative=True,
    began="2026-01-01T00:00:00+00:00",
    project="abc",
    settings={"seconds": 4},
    machine={"kernel": "6.18", "cpus": 2},
    versions={"iperf3": "3.12"},
    clusters={"flannel": {"mtu": 1450}, "cilium": {"mtu": 1500}},
)
TEST = "other-node/tcp-1"


def measure(side: Side, gbits: float, steal: float = 0.0) -> Measure:
    return Measure(side=side, began="2026-01-01T00:00:00+00:00", seconds=4.0, steal=steal, values={"gbits": gbits})


def pair(turn: int, flannel: float, cilium: float, *, kept: bool = True) -> Pair:
    return Pair(
        turn=turn,
        test=TEST,
        comparison="pair",
        numerator=1,
        measures=(measure("flannel", flannel), measure("cilium", cilium)),
        attempt=1,
        kept=kept,
        stolen=False,
    )


def control(turn: int, one: float, two: float) -> Pair:
    return replace(pair(turn, 1, 1), comparison="control", measures=(measure("cilium", one), measure("cilium", two)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "deep" / "run.jsonl"
    results.begin(file, RUN)
    for turn, (flannel, cilium) in enumerate([(8.0, 10.0), (8.2, 10.1), (8.1, 10.2)]):
        results.append(file, pair(turn, flannel, cilium))
        results.append(file, control(turn, 10.0, 10.0 + 0.1 * (turn - 1)))
    return file


def test_what_was_written_is_read_again(path: Path) -> None:
    found = results.load(path)
    assert found.run == RUN
    assert found.pairs[0] == pair(0, 8.0, 10.0)
    assert found.done() == {(turn, TEST, kind) for turn in range(3) for kind in ("pair", "control")}


def test_a_run_is_never_written_over(path: Path) -> None:
    with pytest.raises(FileExistsError):
        results.begin(path, RUN)


def test_a_line_that_a_kill_cut_off_costs_that_pair_alone(path: Path) -> None:
    whole = path.read_text()
    path.write_text(whole + '{"kind": "pair", "turn": 3, "te')
    results.mend(path)
    assert path.read_text() == whole, "the next pair would be glued to the half line, and both lost"
    results.mend(path)
    assert path.read_text() == whole


Spoil = Callable[[dict[str, Any]], object]
SPOILT: list[tuple[Spoil, str]] = [
    (lambda item: item.pop("numerator"), "numerator"),
    (lambda item: item.update(extra=1), "extra"),
    (lambda item: item.update(kind="other"), "other"),
    (lambda item: item.update(measures=[]), "measures"),
]


@pytest.mark.parametrize(("spoil", "names"), SPOILT)
def test_a_line_of_another_shape_is_named(path: Path, spoil: Spoil, names: str) -> None:
    lines = path.read_text().splitlines()
    item = json.loads(lines[1])
    spoil(item)
    path.write_text("\n".join([lines[0], json.dumps(item)]) + "\n")
    with pytest.raises(ResultsError, match=r":2 is no line") as caught:
        results.load(path)
    assert names in str(caught.value) or names == "measures"


def test_results_of_another_schema_or_of_two_runs_are_refused(path: Path) -> None:
    text = path.read_text()
    path.write_text(text + text.splitlines()[0] + "\n")
    with pytest.raises(ResultsError, match="one run"):
        results.load(path)
    path.write_text(text.replace('"schema": 1', '"schema": 2'))
    with pytest.raises(ResultsError, match="schema"):
        results.load(path)
    with pytest.raises(ResultsError, match="cannot be read"):
        results.load(path.with_name("none"))


def test_the_summary_takes_what_was_kept_alone(path: Path) -> None:
    before = summary(results.load(path)).row(f"{TEST}/gbits")
    results.append(path, pair(1, 1.0, 99.0, kept=False))
    found = summary(results.load(path))
    assert found.row(f"{TEST}/gbits") == before, "a pair in which the host stole time would be in the figure"
    assert found.again == 1
    assert before is not None and before.control is not None
    assert before.measured.pairs == before.control.pairs == 3
    assert before.medians == {"flannel": 8.1, "cilium": 10.1}
    assert 1.22 < before.measured.ratio < 1.27


def test_the_order_in_which_a_pair_was_measured_does_not_turn_its_ratio() -> None:
    turned = replace(pair(0, 1, 1), measures=(measure("cilium", 10), measure("flannel", 8)), numerator=0)
    assert turned.ratios() == pair(0, 8, 10).ratios() == {f"{TEST}/gbits": 1.25}


def test_the_page_says_all_that_is_needed_to_repeat_it(path: Path) -> None:
    text = section(results.load(path))
    for fact in ("Indicative", "| `seed` | 7 |", "`machine.kernel` | 6.18", "`clusters.flannel.mtu` | 1450", "iperf3"):
        assert fact in text, f"who repeats the benchmark would not know {fact}"
    assert "confirmed" in text and "not measured" in text
    assert section(results.load(path)) == text


def test_a_null_result_is_printed_as_one(path: Path) -> None:
    path.unlink()
    results.begin(path, RUN)
    for turn, cilium in enumerate([8.0, 8.01, 7.99]):
        results.append(path, pair(turn, 8.0, cilium))
        results.append(path, control(turn, 8.0, 8.0 + 0.01 * (turn - 1)))
    assert "no difference" in section(results.load(path)), "nothing found would look like nothing looked for"


def test_the_section_is_put_between_its_marks_and_nowhere_else() -> None:
    page = f"# A\n\n{BEGIN}\n\nold\n\n{END}\n\nB\n"
    assert placed(page, "new") == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\n\nB\n"
    for wrong in ("# A", f"{END}{BEGIN}", page + BEGIN):
        with pytest.raises(ValueError):
            placed(wrong, "new")
