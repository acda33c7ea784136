"""The one way this program makes a Command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_command import local

# The project's own interpreter, under a path that is the same in every clone, so that the state can be used from any.
PYTHON = ".venv/bin/python"


def command(
    name: str,
    verb: str,
    *,
    opts: pulumi.ResourceOptions,
    environment: Mapping[str, pulumi.Input[str]],
    stdin: pulumi.Input[str] | None = None,
    delete: str | None = None,
    triggers: Sequence[Any] | None = None,
    once: bool = False,
) -> local.Command:
    """A Command that runs `steps/<verb>.py`, and `<delete>.py` when it is deleted.

    No shell stands between, so that the verb's parent process is the plugin, which lives as long as the `up`:
    steps/holder.py relies on that. stderr is shown while the verb runs; stdout is the result and stays out of the log.

    `once` is for steps of a migration: they run for new triggers and for nothing else. Without it a change of any other
    input (a row more in the residue table) would run them again, on nodes with a live CNI.
    """
    return local.Command(
        name,
        create=f"steps.{verb}",
        update="steps.keep" if once else None,
        delete=f"steps.{delete}" if delete else None,
        interpreter=[PYTHON, "-m"],
        environment=dict(environment),
        stdin=stdin,
        logging=local.Logging.STDERR,
        # keep.py prints the previous stdout again. Elsewhere it stays out of the environment: one is the kubeconfig.
        add_previous_output_in_env=once,
        triggers=list(triggers) if triggers is not None else None,
        opts=opts,
    )
