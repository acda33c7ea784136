"""Commands: what runs on the pipeline's machine is a step of this project, and no line of shell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rule import COMMAND, Resource, Settings, resource_rule

_INTERPRETER = [".venv/bin/python", "-m"]
_STEP = re.compile(r"steps\.[a-z_]+")


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type.startswith("command:") and resource.type != COMMAND:
        yield f"a {resource.type} runs where no review sees it; use a step (components/command.py)"
    if resource.type != COMMAND:
        return
    if resource.props.get("interpreter") != _INTERPRETER:
        yield f"its interpreter is not {' '.join(_INTERPRETER)}; make it with command(…) of components/command.py"
    for verb in ("create", "update", "delete"):
        text = resource.props.get(verb)
        if isinstance(text, str) and not _STEP.fullmatch(text):
            yield f"its {verb} is no step of this project; write a module in steps/ and name it steps.VERB"


RULES = [resource_rule("commands-are-steps", "A Command runs a step of this project, and nothing else.", _check)]
