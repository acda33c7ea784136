"""The door to kind."""

from __future__ import annotations

from steps.doors.process import run
from steps.running import say


def clusters() -> list[str]:
    """The names of all clusters. Raises ToolError where kind does not answer: that is not «there is none»."""
    return run(["kind", "get", "clusters", "--quiet"]).split()


def kubeconfig(name: str) -> str:
    """The kubeconfig of a cluster."""
    return run(["kind", "get", "kubeconfig", "--name", name])


def create(name: str, config: str, kubeconfig: str) -> None:
    """Makes a cluster from kind's own config, without a wait for its nodes."""
    told = run(
        ["kind", "create", "cluster", "--name", name, "--config", "-", "--wait", "0s", "--kubeconfig", kubeconfig],
        stdin=config,
        timeout=900,
        show=True,
    )
    if told.strip():
        say(told.strip())


def delete(name: str) -> None:
    """Deletes a cluster."""
    run(["kind", "delete", "cluster", "--name", name], timeout=300)
