"""Work on several nodes or objects at once, bounded, and all of it ended before a failure is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from steps.running import StepError

Result = TypeVar("Result")
# Processes at once: fifty nodes asked all at once starve the machine that asks.
MOST = 16


def each(work: Mapping[str, Callable[[], Result]], what: str) -> dict[str, Result]:
    """The result of each, by its name. Raises StepError naming every one that failed: the next `up` must not start
    while one of them still runs."""
    with ThreadPoolExecutor(max_workers=MOST) as pool:
        futures = {name: pool.submit(task) for name, task in work.items()}
    results: dict[str, Result] = {}
    failed: list[str] = []
    for name, future in futures.items():
        try:
            results[name] = future.result()
        except StepError as error:
            failed.append(f"{name}: {error}")
    if failed:
        raise StepError(f"{what} failed on " + "\n".join(failed))
    return results
