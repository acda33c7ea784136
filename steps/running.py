"""How a verb is run: its environment in, its result on stdout, one sentence on stderr where it fails."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

Needs = TypeVar("Needs")


class StepError(Exception):
    """What failed, as the sentence that the user is to read."""


def say(text: str) -> None:
    """Progress, which the command plugin shows while the step runs."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def read(needs: type[Needs], environ: Mapping[str, str]) -> Needs:
    """`needs` filled from the environment: the field `pod_subnet` from POD_SUBNET.

    A field is text, a whole number, true or false, or a tuple of words. Raises StepError with every variable that is
    missing or of another shape.
    """
    found: dict[str, object] = {}
    wrong: list[str] = []
    for name, kind in get_type_hints(needs).items():
        text = environ.get(name.upper())
        if text is None:
            wrong.append(f"{name.upper()} is not set")
            continue
        try:
            found[name] = _as(kind, text)
        except ValueError:
            wrong.append(f"{name.upper()}={text!r} is of another shape")
    if wrong:
        raise StepError(f"this step was called without what it needs: {'; '.join(wrong)}")
    return needs(**found)


def variables(needs: type[object]) -> set[str]:
    """The names of the variables that `read` looks for."""
    return {field.name.upper() for field in fields(needs)}  # pyright: ignore[reportArgumentType]


def _as(kind: Any, text: str) -> object:
    if kind is bool:
        return {"true": True, "false": False}[text] if text in ("true", "false") else int("no boolean")
    if kind is int:
        return int(text)
    return tuple(text.split()) if kind == tuple[str, ...] else text


def _leave(number: int, _: object) -> None:
    # An exit that unwinds, so that a private kubeconfig goes with the step that made it.
    raise SystemExit(128 + number)


def main(needs: type[Needs], verb: Callable[[Needs], str | None]) -> None:
    """Runs `verb`; exits 1 with one sentence where it raises StepError."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        result = verb(read(needs, os.environ))
    except StepError as error:
        say(str(error))
        raise SystemExit(1) from None
    sys.stdout.write(result or "")
