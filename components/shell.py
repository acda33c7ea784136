"""The one way this program makes a Command, and the scripts it may name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_command import local

SCRIPTS = "components/scripts"


def script_command(
    name: str,
    script: str,
    *,
    opts: pulumi.ResourceOptions,
    environment: Mapping[str, pulumi.Input[str]],
    stdin: pulumi.Input[str] | None = None,
    delete: str | None = None,
    triggers: Sequence[Any] | None = None,
    once: bool = False,
) -> local.Command:
    """A Command that runs `components/scripts/<script>.sh` with bash, and `<delete>.sh` when it is deleted.

    The path is relative to the program's folder, so that the state can be used from any clone. bash runs the script
    itself (no /bin/sh between), so that the script's parent process is the plugin, which lives as long as the `up`:
    claim.sh relies on that. stderr is shown while the script runs; stdout is the result and stays out of the log.

    `once` is for steps of a migration: they run for new triggers and for nothing else. Without it a change of any other
    input (a row more in the residue table) would run them again, on nodes with a live CNI.
    """
    return local.Command(
        name,
        create=f"{SCRIPTS}/{script}.sh",
        update=f"{SCRIPTS}/keep.sh" if once else None,
        delete=f"{SCRIPTS}/{delete}.sh" if delete else None,
        interpreter=["bash"],
        environment=dict(environment),
        stdin=stdin,
        logging=local.Logging.STDERR,
        # keep.sh prints the previous stdout again. Elsewhere it stays out of the environment: one is the kubeconfig.
        add_previous_output_in_env=once,
        triggers=list(triggers) if triggers is not None else None,
        opts=opts,
    )
