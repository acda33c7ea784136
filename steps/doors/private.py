"""A kubeconfig of a step's own: it is an admin's, and goes when the step does."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from steps.holder import scope, started

# Of the folder: SCOPE_PID_START_RANDOM follow (steps/holder.py).
_PREFIX = "cni-migration-"


@contextmanager
def private_kubeconfig() -> Generator[Path]:
    """An empty file of this step's own, which goes with it; what a step left that was killed goes before."""
    _sweep()
    pid = os.getpid()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{scope()}_{pid}_{_began(pid)}_") as folder:
        yield Path(folder) / "kubeconfig"


def _began(pid: int) -> str:
    return hashlib.sha256(started(pid).encode()).hexdigest()[:12]


def _sweep() -> None:
    """Removes the folders of processes of here that are gone. A kill -9 unwinds nothing, and one holds the cluster's
    admin certificate."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}{scope()}_*"):
        _, pid, began, *_ = [*folder.name.removeprefix(_PREFIX).split("_"), "", ""]
        if not pid.isdecimal() or _began(int(pid)) == began:
            continue
        # Another step may be at it, too; one of another user is theirs to remove.
        with suppress(FileNotFoundError):
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                shutil.rmtree(folder)
