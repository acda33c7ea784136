"""One Command whose arguments are in command.json: {"args": {…}, "secrets": [names in environment], "run": text}.

Every stdout that is known is appended to known.log, which tells what a preview believes.
"""

import json
from pathlib import Path

import pulumi
from pulumi_command import local

HERE = Path(__file__).parent
spec = json.loads((HERE / "command.json").read_text())
args = spec["args"]
for name in spec.get("secrets", []):
    args["environment"][name] = pulumi.Output.secret(args["environment"][name])


def note(stdout: str) -> str:
    with (HERE / "known.log").open("a") as log:
        log.write(f"{stdout}\n")
    return stdout


command = local.Command("it", **args)
pulumi.export("stdout", command.stdout.apply(note))
pulumi.export("stderr", command.stderr)
if "run" in spec:
    pulumi.export("run", local.run_output(command=spec["run"]).stdout)
