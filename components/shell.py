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
) -> local.Command:
    """A Command that runs `components/scripts/<script>.sh` with bash, and `<delete>.sh` when it is deleted.

    The path is relative to the program's folder, so that the state can be used from any clone. bash runs the script
    itself (no /bin/sh between), so that the script's parent process is the plugin, which lives as long as the `up`:
    claim.sh relies on that. stderr is shown while the script runs; stdout is the result and stays out of the log.
    """
    return local.Command(
        name,
        create=f"{SCRIPTS}/{script}.sh",
        delete=f"{SCRIPTS}/{delete}.sh" if delete else None,
        interpreter=["bash"],
        environment=dict(environment),
        stdin=stdin,
        logging=local.Logging.STDERR,
        # Without this the previous stdout (the kubeconfig) would go to the environment of whatever a script starts.
        add_previous_output_in_env=False,
        triggers=list(triggers) if triggers is not None else None,
        opts=opts,
    )
