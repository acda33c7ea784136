"""kubectl for a look: it asks, and refuses whatever could change something."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from steps.doors.kubectl import Kubectl, cluster
from steps.running import StepError

# Not `exec`: a command in a Pod may do anything.
_QUESTIONS = ("get",)


class Looking(Kubectl):
    """Lists and single objects as ever. Raises StepError for every verb that is no question, before kubectl starts."""

    def run(self, *args: str, stdin: str = "", timeout: float = 30) -> str:
        """stdout of a question."""
        if not args or args[0] not in _QUESTIONS or stdin:
            raise StepError(f"a look may only ask, and this would be `kubectl {' '.join(args[:2])}`")
        return super().run(*args, timeout=timeout)


@contextmanager
def look_at(name: str) -> Generator[Looking]:
    """The Kind cluster `name`, to ask and no more."""
    with cluster(name) as kubectl:
        yield Looking(kubectl.kubeconfig)
