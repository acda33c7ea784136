"""The summary as Markdown, and as short as a comment has to be. Pure.

What is most worth reading stands first and goes last: the sentences, what failed, what is in the way, then the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.events import Change, Planned, Said
from pipeline.questions import Answers
from pipeline.values import Changed

# GitHub refuses a comment of more than 65,536 characters.
MOST_BYTES = 60_000
ROWS = 20
_LINE = 1_500  # characters of one line of a comment
_KEYS = 6  # changed keys of one row
_HEAD = ("| | resource | kind | runs, or what changes |", "|---|---|---|---|")

Clean = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Lines under a head; `left` of them were taken away. One without a line is not written."""

    head: tuple[str, ...]
    lines: tuple[str, ...]
    foot: tuple[str, ...] = ()
    left: int = 0

    def text(self) -> list[str]:
        """The section's lines."""
        if not self.lines and not self.left:
            return []
        more = ["", f"… and {self.left} more, in the whole summary beside this one"] if self.left else []
        return ["", *self.head, *self.lines, *more, *self.foot]


def marker(stack: str) -> str:
    """The hidden first line, by which the comment of this stack is found and edited in place."""
    return f"<!-- cni-migration:preview:{_plain(stack)} -->"


def document(stack: str, first: Sequence[str], plan: Planned, answers: Answers, clean: Clean, *, whole: bool) -> str:
    """The summary; `whole` is the one that is kept beside the comment, of any length."""
    keys = 10_000 if whole else _KEYS
    rows = [_row(number, change, keys, clean) for number, change in enumerate(plan.changes, 1)]
    kept = [f"| | {_code(clean(name))} | | changes with them, and runs nothing |" for name in plan.kept]
    folded = [*rows[ROWS:], *kept]
    sections = [
        Section(head=("**It says:**", ""), lines=_said(plan.said, clean)),
        Section(head=("**Kept from outside of the cluster:**", ""), lines=_items(answers.outside, clean)),
        Section(head=("**In the way,** as preflight would find it now:", ""), lines=_items(answers.in_the_way, clean)),
        Section(head=("**To know:**", ""), lines=_items(answers.to_know, clean)),
        Section(head=("**What changes,** in the order in which it runs:", "", *_HEAD), lines=tuple(rows[:ROWS])),
        Section(head=("**Not asked:**", ""), lines=_items(answers.not_asked, clean)),
        Section(
            head=("<details>", f"<summary>{len(folded)} more</summary>", "", *_HEAD),
            lines=tuple(folded),
            foot=("", "</details>"),
        ),
    ]
    head = [marker(stack), "", *(part for text in first for part in (_plain(clean(text)), ""))]
    if whole:
        return _joined(head, sections)
    head = [_short(line) for line in head]
    sections = [replace(section, lines=tuple(_short(line) for line in section.lines)) for section in sections]
    return _fitting(head, sections)


def _fitting(head: Sequence[str], sections: Sequence[Section]) -> str:
    """Takes lines from the end, the last section first, until it is short enough."""
    kept = list(sections)
    for place in range(len(kept) - 1, -1, -1):
        while len(_joined(head, kept).encode()) > MOST_BYTES and kept[place].lines:
            section = kept[place]
            over = max(1, len(section.lines) // 10)
            kept[place] = replace(section, lines=section.lines[:-over], left=section.left + over)
    return _joined(head, kept)


def _joined(head: Sequence[str], sections: Sequence[Section]) -> str:
    body = [line for section in sections for line in section.text()]
    return "\n".join([*head, *body[1:]]).rstrip() + "\n"


def _said(said: Sequence[Said], clean: Clean) -> tuple[str, ...]:
    return tuple(
        f"- {entry.severity}{f' of {_code(clean(entry.about))}' if entry.about else ''}: {_plain(clean(entry.text))}"
        for entry in said
    )


def _items(lines: Sequence[str], clean: Clean) -> tuple[str, ...]:
    return tuple(f"- {_plain(clean(line))}" for line in lines)


def _row(number: int, change: Change, keys: int, clean: Clean) -> str:
    more = len(change.changed) - keys
    told = [
        *(_difference(entry, clean) for entry in change.changed[:keys]),
        *([f"{more} keys more"] if more > 0 else []),
    ]
    runs = [_code(change.runs)] if change.runs else []
    what = "; ".join([*runs, *told])
    return f"| {number} {change.does} | {_code(clean(change.name))} | {_plain(change.kind)} | {what} |"


def _difference(changed: Changed, clean: Clean) -> str:
    path = _code(clean(changed.path))
    if not changed.before and not changed.after:
        return path
    return f"{path}: {_code(clean(changed.before or '…'))} → {_code(clean(changed.after or '…'))}"


def _code(text: str) -> str:
    """As code, in which nothing is Markdown but the backtick, and the bar in a table."""
    return f"`{' '.join(text.replace('`', chr(39)).replace('|', '/').split())[:_LINE]}`"


def _plain(text: str) -> str:
    """One line in which nothing is Markdown's or HTML's: what others wrote must not end the comment's own parts, nor
    call anybody."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"@(?=\w)", "@\u200b", text.replace("|", "\\|"))


def _short(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]} … (cut off here)"
