"""Who owned the cluster before an `up`: the note that `rollback` goes by, written before anything is touched.

python -m pipeline.apply_before STACK COPY    the note of an `up` of STACK, whose state has been copied to COPY
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.stack_files import SettingsError, settings_of
from plan.observation import ObservationError, observe
from plan.ownership import Marker, Owner

SUFFIX = ".before.json"


@dataclass(frozen=True, kw_only=True)
class Before:
    """`stack` is the one that is brought up, on `cluster`. `owner` is who had claimed it by then, None where nobody
    had; `finished` is whether that migration had ended, `previous` who had the cluster before the owner."""

    stack: str
    cluster: str
    generation: str
    owner: Owner | None
    finished: bool
    previous: Owner | None

    @classmethod
    def of(cls, stack: str, cluster: str, marker: Marker | None) -> Before:
        """The note for the marker as it is."""
        return cls(
            stack=stack,
            cluster=cluster,
            generation=marker.generation if marker else "",
            owner=owner_of(marker),
            finished=bool(marker and marker.finished),
            previous=marker.previous if marker else None,
        )

    def as_json(self) -> str:
        """One object, for a file."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Before:
        """The note in a file. Raises ValueError for what is none."""
        try:
            given: dict[str, Any] = json.loads(text)
            return cls(
                stack=str(given["stack"]),
                cluster=str(given["cluster"]),
                generation=str(given["generation"]),
                owner=Owner(**given["owner"]) if given["owner"] else None,
                finished=given["finished"] is True,
                previous=Owner(**given["previous"]) if given["previous"] else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no note of pipeline/apply.sh ({error!r})") from error


def owner_of(marker: Marker | None) -> Owner | None:
    """Who has claimed the cluster; whoever has only made it has not."""
    if marker is None or marker.cni in ("", "none"):
        return None
    return Owner(stack=marker.stack, cni=marker.cni)


def look(cluster: str) -> Marker | None:
    """The marker of a cluster, None where nobody owns it or there is none. Raises ObservationError where that cannot be
    seen."""
    observed = observe(cluster)
    return observed.marker if observed else None


def note_of(copy: Path) -> Path:
    """Where the note lies beside the copy of the state."""
    return copy.with_name(copy.name.removesuffix(".json") + SUFFIX)


def main(stack: str, copy: str) -> None:
    """Writes the note, or says why it cannot."""
    try:
        name = settings_of(stack).cluster.name
        before = Before.of(stack, name, look(name))
    except (SettingsError, ObservationError) as error:
        sys.exit(f"apply: {error}")
    note_of(Path(copy)).write_text(before.as_json())
    had = f"stack {before.owner.stack} with {before.owner.cni}" if before.owner else "nobody"
    print(f"apply: cluster {name} is owned by {had}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
