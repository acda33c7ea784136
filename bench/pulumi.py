"""The Pulumi CLI, as the benchmark types it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from steps.doors.process import ToolError, environment

ROOT = Path(__file__).parents[1]
# Seconds. `up` from nothing takes a minute and a half on two cores.
PATIENCE = 1200.0
# Seconds that an interrupted pulumi has to end what it does and to give its lock back.
ENDING = 120.0


def pulumi(*words: str, env: Mapping[str, str] | None = None) -> str:
    """stdout of `pulumi WORDS` for this program. Raises ToolError where it fails or has not ended in time, with what it
    said. Interrupted, it interrupts pulumi and waits: killed, that would leave a lock, on which the next `up` fails."""
    command = ["pulumi", *words, "--cwd", str(ROOT), "--non-interactive", "--color", "never"]
    pipe = subprocess.PIPE
    # A session of its own: the terminal's Ctrl-C would be a second interrupt, at which pulumi drops everything.
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment(env), text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, said = process.communicate(timeout=PATIENCE)
        except BaseException as error:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=ENDING)
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ToolError(f"`pulumi {' '.join(words[:3])}` has not ended within {PATIENCE:g} s") from error
            raise
    if process.returncode != 0:
        # pulumi says on stdout what went wrong.
        told = f"{out.strip()}\n{said.strip()}".strip()[-4000:]
        raise ToolError(f"`pulumi {' '.join(words[:3])}` failed: {told or f'exit {process.returncode}'}", told)
    return out
