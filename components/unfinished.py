"""Nothing is deleted behind a step that has failed.

Once a program has ended well, the engine deletes what it names no more: the CNI that the stack had before. Without
`--continue-on-error` no program gets there whose step has failed. With it each one does: the engine answers for the
failed step, and for all that follow it, with outputs that are unknown. The old CNI would go behind a preflight that
refused the new one, or from under nodes that have not moved, and the state would refer to what is gone.
"""

from __future__ import annotations

from typing import Any

import pulumi


def delete_nothing_unless_done(*last: pulumi.Output[Any]) -> None:
    """Ends the program with an error where one of `last` is unknown in an `up`. They have to be of what comes last:
    whatever failed before them leaves them unknown too."""

    def look(values: Any) -> None:
        # In a preview what is to be made is unknown, and nothing is deleted.
        if not pulumi.runtime.is_dry_run() and pulumi.contains_unknowns(values):
            raise pulumi.RunError(
                "a step has failed (its error is with its resource), or was left out by --target or --exclude, so "
                "nothing that this program names no more is deleted. Mend it and run `pulumi up` again; it begins with "
                "that step"
            )

    pulumi.Output.all(*last).apply(look, run_with_unknowns=True)
