"""The one door to a node: a script runs inside it as root, with an environment and a stdin of its own.

Docker is behind it. Another way (a privileged Pod on the host network) would be a second function of the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from steps.doors.process import run

_SCRIPTS = Path(__file__).parents[1] / "on_node"
# The functions that a script has before it: a fact of the script, so nobody who runs it can forget them.
_BEFORE = {
    **dict.fromkeys(("handover", "rebridge", "routed"), "each_pod"),
    **dict.fromkeys(("programs_off", "unmasq"), "flows_wait"),
    **dict.fromkeys(("flannel_files", "router"), "host_local"),
    **dict.fromkeys(("direct_routes", "forget_pods"), "in_subnet"),
}


def on_node(
    node: str,
    script: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 300,
) -> str:
    """stdout of on_node/SCRIPT.sh inside `node`; what it said on stderr is in the ToolError where it fails."""
    assignments = [f"{name}={value}" for name, value in {"NODE": node, **(env or {})}.items()]
    inside: Sequence[str] = ["env", *assignments, "bash", "-c", whole(script), script, *args]
    return run(["docker", "exec", "--interactive", node, *inside], stdin=stdin, timeout=timeout, show=True)


def whole(script: str) -> str:
    """The text of on_node/SCRIPT.sh, behind the functions that it calls."""
    return "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in (_BEFORE.get(script), script) if name)
