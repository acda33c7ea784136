"""The one door to a node: a script runs inside it as root, with an environment and a stdin of its own.

Docker is behind it. Another way (a privileged Pod on the host network) would be a second function of the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from steps.doors.process import run

_SCRIPTS = Path(__file__).parents[1] / "on_node"


def on_node(
    node: str,
    script: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 300,
    behind: str = "",
) -> str:
    """stdout of on_node/SCRIPT.sh inside `node`, behind the functions of another one; what it said on stderr is in the
    ToolError where it fails."""
    text = "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in (behind, script) if name)
    assignments = [f"{name}={value}" for name, value in {"NODE": node, **(env or {})}.items()]
    inside: Sequence[str] = ["env", *assignments, "bash", "-c", text, script, *args]
    return run(["docker", "exec", "--interactive", node, *inside], stdin=stdin, timeout=timeout, show=True)
