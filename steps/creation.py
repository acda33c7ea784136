"""The note of a creation that is under way, and what is there of a cluster whose creation was cut off.

.state/CLUSTER.creating is written after kind has said that there is no such cluster, and removed when the cluster has
its marker. What remains of it tells that the creation was cut off, and which containers that creation made: those that
are not older than the note, and no younger than its last beat. Nothing else is ever taken for its wreck.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from steps import marker
from steps.doors import docker, kind, kubectl
from steps.doors.process import ToolError
from steps.holder import holder

FOLDER = Path(".state")
_MADE = "made"
# Seconds between two beats, and how much later than the last one a container of that creation can be.
_BEAT, _SLACK = 1.0, timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Note:
    """`holder` is who creates, or did; `begun` is None in a note of an earlier version, `beat` when it was alive last.
    `made`: kind has made the whole cluster, and only the marker may be missing."""

    holder: str
    begun: datetime | None
    beat: datetime
    made: bool


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is there. `listed`: kind knows the cluster. `answers`: its API has said what `marker` is (None: that there
    is none). `control_plane` is False where kind says that it has none. `ours`: all of its containers are that
    creation's. `why` is what was said where the API does not answer."""

    listed: bool
    answers: bool = False
    why: str = ""
    marker: marker.Found | None = None
    control_plane: bool = True
    ours: bool = False


def path(cluster: str) -> Path:
    """Where the note is."""
    return FOLDER / f"{cluster}.creating"


@contextmanager
def alone(cluster: str) -> Generator[None]:
    """One at a time in this folder: of two that find the note of a dead one, the second would remove what the first
    one makes."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{cluster}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read(cluster: str) -> Note | None:
    """The note, None where there is none."""
    try:
        lines = path(cluster).read_text().splitlines()
        beat = datetime.fromtimestamp(path(cluster).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    named, begun, made, *_ = [*lines, "", "", ""]
    started = None
    # A power cut may have left half a line: what it does not say, it does not prove.
    with suppress(ValueError):
        started = datetime.fromisoformat(begun).astimezone(UTC)
    return Note(holder=named, begun=started, beat=beat, made=made == _MADE)


def begin(cluster: str) -> None:
    """Writes the note. Raises FileExistsError where there is one."""
    with path(cluster).open("x") as note:
        note.write(f"{holder()}\n{datetime.now(UTC).isoformat()}\n")


def finish(cluster: str) -> None:
    """Notes that kind has made the cluster: from now on it is never a wreck."""
    with path(cluster).open("a") as note:
        note.write(f"{_MADE}\n")


def remove(cluster: str) -> None:
    """Takes the note away, where it is there."""
    path(cluster).unlink(missing_ok=True)


@contextmanager
def beating(cluster: str) -> Generator[None]:
    """Touches the note until the block is left: what comes to be after it was cut off is somebody else's."""
    over = Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            with suppress(FileNotFoundError):
                os.utime(path(cluster))

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def look(cluster: str, note: Note | None) -> Look:
    """What is there of the cluster. An API that does not answer is not an answer, and said as such; a kind or an engine
    that does not is a ToolError."""
    if cluster not in kind.clusters():
        return Look(listed=False)
    ours = note is not None and _is_of(note, docker.containers(cluster))
    try:
        with kubectl.cluster(cluster) as api:
            return Look(listed=True, answers=True, marker=marker.find(api), ours=ours)
    except ToolError as error:
        control_plane = not error.says("could not locate any control plane nodes")
        return Look(listed=True, why=str(error), control_plane=control_plane, ours=ours)


def is_wreck(note: Note, found: Look) -> bool:
    """Whether what is there is what the creation left that was cut off, and no whole cluster."""
    if not found.listed or note.made or found.marker is not None:
        return False
    return found.ours or not found.control_plane


def _is_of(note: Note, found: list[docker.Container]) -> bool:
    begun = note.begun
    if begun is None or not found:
        return False
    return all(begun <= container.created <= note.beat + _SLACK for container in found)
