"""Where the kit's files are: its own in the repo, what it builds in the user's cache folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

AIRGAP = Path(__file__).resolve().parent.parent
REPO = AIRGAP.parent


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The kit's part of the user's cache folder; everything in it can be deleted and is then built again."""

    root: Path

    @staticmethod
    def of_user() -> Cache:
        """The folder that XDG_CACHE_HOME names, else ~/.cache."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Cache(root=Path(home) / "cni-migration")

    @property
    def out(self) -> Path:
        """One folder a built target, named after the target and its key."""
        return self.root / "out"

    @property
    def logs(self) -> Path:
        """The last build's output of each target."""
        return self.root / "logs"

    @property
    def locks(self) -> Path:
        """One lock file a target and key."""
        return self.root / "locks"
