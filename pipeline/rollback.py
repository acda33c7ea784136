"""Finds what a rollback brings back, for pipeline/rollback.sh.

    python -m pipeline.rollback FOLDER [STACK]

FOLDER has the notes of pipeline/apply.sh; without STACK the last `up` of which there is a note is undone. Prints
`STACK CNI ASKED CLUSTER` of whom to bring back, ASKED being the CNI that its file asks for; nothing where nothing is to
be done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.apply_before import SUFFIX, Before, look
from pipeline.rollback_choice import choose
from pipeline.stack_files import SettingsError, settings_of
from plan.observation import ObservationError


class NoteError(Exception):
    """There is no note to go by, or it cannot be read."""


def last(folder: Path, stack: str = "") -> Before | None:
    """The newest note, of `stack` where one is named; None where there is none. Raises NoteError where the newest
    cannot be read: an older one would name an owner who had lost the cluster since."""
    # STACK-TIME; a stack's name may have dashes.
    notes = [(path.name.removesuffix(SUFFIX).rpartition("-"), path) for path in folder.glob(f"*{SUFFIX}")]
    newest = max(((name[2], path) for name, path in notes if stack in ("", name[0])), default=("", None))[1]
    if newest is None:
        return None
    try:
        return Before.from_json(newest.read_text())
    except (OSError, ValueError) as error:
        raise NoteError(f"{newest} cannot be read: {error}") from error


def main(folder: str, stack: str = "") -> None:
    """Says what will be brought back; exits 1 where there is something to undo, and this is not the way."""
    try:
        before = last(Path(folder), stack)
        if before is None and not stack:
            raise NoteError(f"there is no note of an up in {folder}; name the stack: pipeline/rollback.sh STACK")
        undone = before.stack if before else stack
        cluster = before.cluster if before else settings_of(undone).cluster.name
        back = choose(undone, before, look(cluster))
        print(f"rollback: {back.why}", file=sys.stderr)
        if back.to is not None:
            print(back.to.stack, back.to.cni, settings_of(back.to.stack).cni, cluster)
    except (SettingsError, ObservationError, NoteError) as error:
        sys.exit(f"rollback: {error}")
    if back.failed:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
