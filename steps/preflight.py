"""Looks, before anything is touched, whether a CNI can start on every node, and what would stop the way there halfway.
Reports everything that is in the way at once, each with what to do. No claim is held yet."""

from __future__ import annotations

import sys

from steps.doors.kubectl import cluster
from steps.doors.once import Once
from steps.looking import Looking, Needs
from steps.running import StepError, main

_OTHERS = (
    "Other strategies ask for other things: migration:strategy rolling drains one node after the other, recreate takes "
    "the Pod network down meanwhile"
)


def verb(needs: Needs) -> str:
    """Raises StepError with everything that is in the way; a question without an answer is in the way too."""
    values = sys.stdin.read() if needs.chart else ""
    with cluster(needs.cluster) as asked:
        heard = Looking(needs, Once(asked), values).everything()
    if heard.lines:
        # It is the default, so whoever reads this need not know that there are others.
        others = [_OTHERS] if needs.keeps_pods else []
        raise StepError(
            f"{needs.cni} cannot come to this cluster by {needs.strategy}, and nothing was touched:\n"
            + "\n".join([*(f"  - {line}" for line in heard.lines), *others])
        )
    return ""


if __name__ == "__main__":
    main(Needs, verb)
