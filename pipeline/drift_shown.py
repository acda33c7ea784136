"""Which values a report shows: what may be a secret is told by its name alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

# A value is shown where it cannot be a secret: a truth, a number or a plain word, and its key says nothing of one.
_PLAIN = re.compile(r"[\w./:@-]{0,80}")
_SECRET = re.compile(r"pass|secret|token|key|cert|ca$|credential", re.IGNORECASE)


def shown(path: str, value: object, *, guarded: bool) -> str:
    """`value` as a sentence may have it; `guarded`: the stack keeps some of them as secrets."""
    if value is None:
        return "not set"
    if guarded or _SECRET.search(path.rpartition(".")[2]) or isinstance(value, Mapping | list):
        return "another value"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return (text or "empty") if _PLAIN.fullmatch(text) else "another value"
