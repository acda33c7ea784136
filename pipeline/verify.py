"""Says the verdict of a stack: python -m pipeline.verify STACK, with `pulumi stack output --json` on stdin.

Exits 1 unless the last measurement is good, whole, and of the cluster as it is owned now.
"""

from __future__ import annotations

import json
import sys

from pipeline.apply_before import look
from pipeline.stack_files import SettingsError, settings_of
from pipeline.verify_outputs import verdict
from plan.observation import ObservationError


def main(stack: str) -> None:
    """The lines on stdout, and what is wrong on stderr."""
    try:
        outputs = json.load(sys.stdin)
        said = verdict(stack, outputs, look(str(outputs.get("cluster") or settings_of(stack).cluster.name)))
    except ValueError as error:
        sys.exit(f"verify: the outputs of stack {stack} cannot be read: {error}")
    except (SettingsError, ObservationError) as error:
        sys.exit(f"verify: {error}")
    for line in said.lines:
        print(line)
    if said.wrong:
        sys.exit("\n".join(f"verify: {reason}" for reason in said.wrong))
    print(f"verify: stack {stack} is as it promises")


if __name__ == "__main__":
    main(*sys.argv[1:])
