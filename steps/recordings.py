"""The recording of what a migration interrupts, on each node: its name, and the door to its script there."""

from __future__ import annotations

from collections.abc import Sequence

from steps.doors.node import on_node
from steps.names import REPORT_FOLDER, TRAFFIC_FOLDER
from steps.running import StepError
from steps.side_by_side import each


class UnmeasuredError(StepError):
    """Why a migration that begins cannot be measured. Its first line is what is noted of it."""


def name_of(generation: str, epoch: str, leg: int = 0) -> str:
    """The recording's name: epochs come again when a cluster does, and then in another generation. Behind a pause
    another one begins: `leg` counts them."""
    plain = "".join(letter for letter in generation if letter.isascii() and letter.isalnum())
    return f"{plain[:26]}{f'leg{leg}' if leg else ''}-{epoch}"


def inside(node: str, step: str, *, recording: str, control_plane: str = "", stdin: str = "") -> str:
    """stdout of a step of recording.sh on one node."""
    env = {"STEP": step, "FOLDER": TRAFFIC_FOLDER, "REPORT": REPORT_FOLDER, "RECORDING": recording}
    return on_node(node, "recording", env={**env, "CONTROL_PLANE": control_plane}, stdin=stdin)


def on_all(nodes: Sequence[str], step: str, *, recording: str, control_plane: str = "") -> dict[str, str]:
    """The same on several nodes side by side, by their names."""

    def task(node: str) -> str:
        return inside(node, step, recording=recording, control_plane=control_plane)

    return each({node: (lambda node=node: task(node)) for node in nodes}, f"recording {step}")
