"""The one error that settings end in."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


class SettingsError(pulumi.RunError):
    """Everything that is wrong with the settings, one line each."""


def refusal(mistakes: Sequence[str]) -> SettingsError:
    """All of them as one error."""
    return SettingsError("the settings are wrong, and nothing was touched:\n  - " + "\n  - ".join(mistakes))
