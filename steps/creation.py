"""The note of a creation that is under way, and what is there of a cluster whose creation was cut off.

.state/CLUSTER.creating is written after kind has said that there is none, and removed when it has its marker. What
remains of it tells that the creation was cut off, and which containers are its: those between note and last beat."""

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
from steps.holder import alive, holder, seen_from_here

FOLDER = Path(".state")
_MADE = "made"
# Seconds between two beats, how much later than the last one a container of that creation can be, and after how long
# without one a creation is over that cannot be seen from here (in another container, with this folder).
_BEAT, _SLACK, _SILENCE = 1.0, timedelta(seconds=5), timedelta(seconds=30)


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


def under_way(note: Note) -> bool:
    """Whether the creation still runs."""
    if not note.holder or seen_from_here(note.holder):
        return alive(note.holder)
    return abs(datetime.now(UTC) - note.beat) < _SILENCE


def begin(cluster: str) -> None:
    """Writes the note. Raises FileExistsError where there is one."""
    with path(cluster).open("x") as note:
        note.write(f"{holder()}\n{datetime.now(UTC).isoformat()}\n")


def finish(cluster: str) -> None:
    """Notes that kind has made the cluster: from now on it is never a wreck."""
    with path(cluster).open("a") as note:
        note.write(f"{_MADE}\n")


def remove(cluster: str) -> None:
    """Takes the note away."""
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
    """What is there of the cluster. An API that does not answer is said as such, a kind or an engine is a ToolError."""
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
    begun, last = note.begun, note.beat + _SLACK
    return begun is not None and bool(found) and all(begun <= each.created <= last for each in found)
