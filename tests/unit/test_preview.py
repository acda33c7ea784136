"""The summary of a preview, from recorded event streams of the real engine (tests/engine/record_previews.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import expected
from pipeline.events import Planned, planned
from pipeline.markdown import document
from pipeline.questions import Answers
from pipeline.redaction import Redactor
from pipeline.takeover import sentences
from pipeline.world import World
from settings.strategy import STRATEGIES

MOST_BYTES = 60_000  # what was promised; GitHub refuses more than 65,536 characters
STREAMS = Path(__file__).parent / "previews"
PAGE = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text()
FLANNEL = {"stack": "flannel", "cni": "flannel", "epoch": "1", "phase": "ready", "strategy": "recreate"}
NONE = World(cluster="c", state="none", said="", marker={})
OWNED = replace(NONE, state="answers", marker=FLANNEL)


def recorded(name: str) -> list[str]:
    return (STREAMS / f"{name}.jsonl").read_text().splitlines()


def summary(
    lines: Sequence[str], world: World, *, stack: str = "cilium", answers: Answers | None = None, whole: bool = False
) -> str:
    plan, answers = planned(lines), answers or Answers()
    first = sentences(stack, plan, world, PAGE, answers.lost)
    return document(stack, first, plan, answers, Redactor(plan.secrets).clean, whole=whole)


def rows(text: str) -> list[str]:
    """Those before the folded ones: what is done, and to which resource."""
    found = re.findall(r"^\| \d+ (\w+) \| `([^`]+)`", text.partition("<details>")[0], re.MULTILINE)
    return [f"{does} {name}" for does, name in found]


def test_the_first_line_is_the_hidden_marker_of_the_stack() -> None:
    text = summary(recorded("other-rolling"), OWNED)
    assert text.startswith("<!-- cni-migration:preview:cilium -->\n"), "each push would add a comment of its own"
    assert summary(recorded("settled"), OWNED, stack="flannel").startswith("<!-- cni-migration:preview:flannel -->\n")


def test_the_first_sentence_says_who_owns_the_cluster_and_what_becomes_of_it() -> None:
    first = summary(recorded("other-rolling"), OWNED).splitlines()[2]
    assert first == (
        "Cluster `c` is owned by stack flannel with flannel (epoch 1, ready); this hands it to stack cilium with "
        "cilium by rolling: 3 nodes."
    ), "a reviewer would not see that the cluster changes hands"
    inside = summary(recorded("same-stack-recreate"), OWNED, stack="flannel").splitlines()[2]
    assert "this hands it to cilium by recreate: 3 nodes" in inside, "the change inside one stack would not be seen"


@pytest.mark.parametrize(
    ("stream", "failed"), [("other-rolling", "0 of 518,984 new"), ("other-recreate", "26,885 of 94,090 new")]
)
def test_the_expected_interruption_is_the_one_that_was_measured_with_its_source(stream: str, failed: str) -> None:
    text = summary(recorded(stream), OWNED)
    assert failed in text and "docs/measurements.md" in text, "the reviewer would have to guess what it costs"
    assert "**What is lost:**" in text


def test_every_strategy_and_cni_has_figures_or_says_that_there_are_none() -> None:
    for strategy in ("recreate", "rolling"):
        for cni in ("cilium", "flannel"):
            assert expected.measured(PAGE, STRATEGIES[strategy].name, cni), "the table is not read any more"
    assert expected.measured(PAGE, "unheard-of", "cilium") == ""
    text = "\n".join(sentences("cilium", planned(recorded("other-rolling")), OWNED, "no table"))
    assert "nobody has measured it" in text, "no figure would pass for no interruption"


def test_what_goes_with_the_old_cni_is_among_what_is_lost() -> None:
    text = summary(recorded("other-rolling"), OWNED, answers=Answers(lost=("1 object will be saved and go: a/b",)))
    lost = next(line for line in text.splitlines() if line.startswith("**What is lost:**"))
    assert "a/b" in lost and "emptyDir" in lost, "somebody's policy would go unseen"


def test_rows_stand_in_the_order_in_which_they_run_and_only_what_changes() -> None:
    assert rows(summary(recorded("other-rolling"), OWNED)) == [
        *("create " + name for name in ("cluster-kind", "migration-preflight", "migration-claim", "migration-record")),
        *("create " + name for name in ("migration-gate", "migration-routes", "cilium-agent")),
        *("create moves-" + name for name in ("c-worker", "c-worker2", "c-control-plane", "finish")),
        *("create verification-" + name for name in ("objects", "pods", "measure", "settle")),
        "create interruption-report",
    ]
    inside = rows(summary(recorded("same-stack-recreate"), OWNED, stack="flannel"))
    before, after = inside.index("delete flannel-agent"), inside.index("replace migration-gate")
    assert inside.index("replace migration-claim") < before < after < inside.index("create cilium-agent"), (
        "the reviewer would read that the new CNI comes before the old one goes"
    )
    assert not any(row.endswith("cluster-kind") for row in inside), "what stays would hide what changes"
    assert inside.count("delete flannel-agent") == 1 and not any(row.startswith("delete migration") for row in inside)


def test_a_settled_stack_is_one_sentence() -> None:
    text = summary(recorded("settled"), OWNED, stack="flannel")
    assert text.splitlines()[2:] == [
        "**Nothing changes:** cluster `c` is owned by stack flannel with flannel (epoch 1, ready)."
    ], "who reads fifty rows of what stays does not read the comment"


def test_without_a_cluster_the_whole_plan_is_there() -> None:
    text = summary(recorded("no-cluster"), NONE)
    assert "There is no cluster `c`; this makes it, and stack cilium will own it with cilium: 3 nodes." in text
    assert rows(text)[0] == "create cluster-kind" and rows(text)[-1] == "create verification-settle"
    assert "nobody uses it yet" in text, "an outage of nobody would be announced"


def test_a_migration_that_was_cut_off_is_said_to_go_on() -> None:
    cut_off = {**FLANNEL, "stack": "cilium", "cni": "cilium", "phase": "migrating", "epoch": "2"}
    text = summary(recorded("other-rolling"), replace(OWNED, marker=cut_off))
    assert "this goes on with the migration to cilium by rolling" in text, "it would read as a new take-over"


def test_a_value_of_a_helm_chart_is_shown_where_it_is_harmless_and_named_where_it_is_not() -> None:
    owned = replace(OWNED, marker={**FLANNEL, "stack": "cilium", "cni": "cilium", "epoch": "2"})
    text = summary(recorded("values"), owned)
    assert "and stays so: nothing moves" in text.splitlines()[2]
    assert "`stdin.operator.replicas`: `1` → `2`" in text, "the reviewer would not see what changes"
    assert "`stdin.hubble.tls.password`" in text and "hunter2" not in text, "a password would be in the comment"


def many(count: int) -> list[str]:
    """A stream of that many resources, each with a long name."""
    lines = recorded("other-rolling")
    pattern = next(line for line in lines if "::migration-routes" in line)
    more = [
        pattern.replace("::migration-routes", f"::migration-routes-{number:04d}-{'x' * 60}") for number in range(count)
    ]
    return [*lines[:-1], *more, lines[-1]]


def test_at_most_twenty_rows_are_open_and_the_rest_is_folded_and_none_is_lost() -> None:
    text = summary(many(40), OWNED)
    assert len(rows(text)) == 20, "the comment would be a wall"
    assert text.count("| create") + len(re.findall(r"^\| \d+ create", text, re.MULTILINE)) == 56
    assert text.count("<details>") == text.count("</details>") == 1


def test_a_comment_is_short_enough_and_what_matters_survives() -> None:
    lines = many(3000)
    loud = Answers(in_the_way=tuple(f"obstacle {number} {'y' * 3000}" for number in range(100)))
    text = summary(lines, OWNED, answers=loud)
    assert len(text.encode()) <= MOST_BYTES, "GitHub would refuse it, and nobody would see anything"
    assert text.startswith("<!-- cni-migration") and "this hands it to stack cilium" in text
    assert "**Expected interruption:**" in text and "obstacle 0" in text
    assert re.search(r"… and \d+ more, in the whole summary", text), "what was cut off would be missing unseen"
    assert text.count("<details>") == text.count("</details>")
    whole = summary(lines, OWNED, answers=loud, whole=True)
    assert "obstacle 99" in whole and "migration-routes-2999" in whole, "the artifact is not the whole"


def test_bytes_are_counted_and_not_characters() -> None:
    text = summary(many(400), OWNED, answers=Answers(to_know=tuple("«ü»" * 400 for _ in range(60))))
    assert len(text.encode()) <= MOST_BYTES < len(text.encode()) + 4000, "more was cut off than had to be"


def test_errors_and_warnings_of_the_engine_appear() -> None:
    text = summary(recorded("wrong-settings"), replace(NONE, state="unknown", said="the settings are wrong"))
    assert "**The preview of stack cilium failed.**" in text
    assert "cluster.workers: '[secret]' must be a whole number" in text, "the reason would be missing"
    warned = json.dumps(
        {"diagnosticEvent": {"severity": "warning", "message": "an old key", "urn": "a::b::c::the-name"}}
    )
    policy = {"policyName": "no-latest", "message": "pin the tag", "enforcementLevel": "mandatory", "resourceUrn": ""}
    lines = [*recorded("other-rolling"), warned, json.dumps({"policyEvent": policy})]
    text = summary(lines, OWNED)
    assert "- warning of `the-name`: an old key" in text and "- error: no-latest: pin the tag" in text


def test_a_log_that_was_cut_off_is_said_to_be_and_is_no_success() -> None:
    text = summary([*recorded("other-rolling")[:12], '{"resourcePre'], OWNED)
    assert "**The preview of stack cilium failed.**" in text, "half a plan would be reviewed as the whole"
    assert "is no JSON" in text


def test_with_the_api_silent_nothing_is_said_to_be_known() -> None:
    silent = replace(NONE, state="silent", said="no answer within 4 s")
    text = "\n".join(sentences("cilium", Planned(), silent, PAGE))
    assert "**No preview:** cluster `c` does not answer" in text


def test_nothing_that_others_wrote_is_html_or_calls_anybody() -> None:
    answers = Answers(in_the_way=("Pod a/b: </details><!-- x --> @team | x",))
    text = summary(recorded("other-rolling"), OWNED, answers=answers)
    assert "&lt;/details&gt;" in text and "@team" not in text and "\\|" in text, (
        "a Pod's message could forge the comment"
    )


def test_an_empty_plan_is_not_read_as_nothing_changes() -> None:
    assert "failed" in "\n".join(sentences("cilium", planned([]), OWNED, PAGE)), "a crash would read as a clean preview"
