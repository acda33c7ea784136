"""The door to a probe: a script runs in its Pod, with an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steps.doors.kubectl import Kubectl, Object
from steps.names import MEASUREMENT

_SCRIPTS = Path(__file__).parents[1] / "on_probe"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A probe that runs; `app` says on which network, the Pods' or the host's."""

    app: str
    node: str
    pod: str
    address: str


def probes_from(app: str, items: Sequence[Object]) -> dict[str, Probe]:
    """The probes among Pods in the API's JSON that run and are to stay, by their node."""
    found: dict[str, Probe] = {}
    for item in items:
        metadata, status = item["metadata"], item.get("status", {})
        node, address = item["spec"].get("nodeName", ""), status.get("podIP", "")
        running = status.get("phase") == "Running" and not metadata.get("deletionTimestamp")
        if running and node and address:
            found[node] = Probe(app=app, node=node, pod=metadata["name"], address=address)
    return found


def find(kubectl: Kubectl, app: str) -> dict[str, Probe]:
    """The probes of one kind, by their node."""
    return probes_from(app, kubectl.objects("pods", namespace=MEASUREMENT, selector=f"app={app}"))


def ask(kubectl: Kubectl, probe: Probe, script: str, *args: str, env: Mapping[str, str], timeout: float) -> str:
    """stdout of on_probe/SCRIPT.sh in the probe."""
    command = _command(env, args)
    return kubectl.execute(MEASUREMENT, probe.pod, command, stdin=_text(script), timeout=timeout)


def _command(env: Mapping[str, str], args: Sequence[str]) -> list[str]:
    # The script comes on stdin: a command line is part of the address that the API server is asked at.
    return ["env", *(f"{name}={value}" for name, value in env.items()), "bash", "-s", "--", *args]


def _text(script: str) -> str:
    return (_SCRIPTS / f"{script}.sh").read_text()
