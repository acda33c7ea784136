"""States of the real program to hold the policy pack against, made of what the real engine plans.

A preview of the program needs no cluster, and its `newState` is what an export has of a resource: inputs, options,
dependencies, provider. What a preview cannot know is put in by `State`: an id, and the inputs again as outputs.
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.fake_tools import IMAGE, NODES, Cluster, install
from engine.pulumi_cli import Stack, copy_program, name_of

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policy" / "run"
PACKAGES = ("components", "plan", "settings", "steps")
# As the engine writes a secret; `stack export --show-secrets` has it in this form.
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps("hidden")}
# Images of a registry that nobody else has, as a machine with a site file says them.
SITE = {
    "images": {
        "probe": "cni-migration/probe:kit",
        "flannel": "registry.local/flannel:v0.28.4",
        "flannelCni": "registry.local/flannel-cni-plugin:v1.9.0",
        "cniPlugins": "localhost:5000/cni-plugins:v1.9.1",
        "kubeProxy": "10.0.0.7/kube-proxy:v1.34.4",
    }
}


def real_program(folder: Path) -> dict[str, Stack]:
    """The program itself with its two stacks, and stand-ins for docker and kind that have no cluster."""
    program = folder / "program"
    for package in PACKAGES:
        copy_program(ROOT / package, program / package)
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, program / name)
    (program / ".venv").symlink_to(sys.prefix)
    install(folder / "bin")
    (folder / "fake" / "fail").mkdir(parents=True)
    site = folder / "site.yaml"
    site.write_text(json.dumps(SITE))
    path = Stack(program=program, backend=folder / "state").environ()["PATH"]
    env = {"FAKE": str(folder / "fake"), "PATH": f"{folder / 'bin'}:{path}", "CNI_MIGRATION_SITE": str(site)}
    for name in ("flannel", "cilium"):
        keys = f"  pulumi:disable-default-providers: [kubernetes]\n  cni-migration:cni: {name}\n"
        # Not the default port: this machine may have a real cluster on it.
        keys += "  cni-migration:cluster: {name: c}\n  cni-migration:hubble: {port: 12432}\n"
        (program / f"Pulumi.{name}.yaml").write_text(f"config:\n{keys}")
    return {
        name: Stack(program=program, backend=folder / "state", name=name, env=env).create()
        for name in ("flannel", "cilium")
    }


def stand_in_cluster(stack: Stack, marker: dict[str, str]) -> None:
    """A cluster for the program to find, with this marker."""
    cluster = Cluster(Path(stack.env["FAKE"]))
    cluster.nodes.write_text("".join(f"{node}\t{IMAGE}\trunning\tt0\n" for node in NODES))
    cluster.created.write_text("2026-01-01T00:00:00+00:00")
    cluster.write(marker, 1)


@dataclass
class State:
    """The resources of one stack by name, to be edited by one thing and saved."""

    resources: dict[str, dict[str, Any]]
    # Outputs that are not the inputs again.
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @classmethod
    def planned(cls, stack: Stack) -> State:
        """What the stack's first `up` would have in its state."""
        plan = json.loads(stack.preview("--json").stdout)
        resources: dict[str, dict[str, Any]] = {}
        for step in plan["steps"]:
            planned = {**step["newState"], "inputs": _kept(step["newState"].get("inputs", {}))}
            if planned["custom"]:
                planned["id"] = "id"
            if "provider" in planned:
                planned["provider"] = f"{planned['provider'].rpartition('::')[0]}::id"
            resources[name_of(planned["urn"])] = planned
        state = cls(resources=resources)
        state.outputs[f"cni-migration-{stack.name}"] = {"kubeconfig": SECRET}
        return state

    def copy(self) -> State:
        return copy.deepcopy(self)

    def inputs(self, name: str) -> dict[str, Any]:
        return self.resources[name]["inputs"]

    def container(self, name: str) -> dict[str, Any]:
        return self.inputs(name)["spec"]["template"]["spec"]["containers"][0]

    def values(self) -> dict[str, Any]:
        return self.inputs("cilium-release")["values"]

    def add(self, name: str, like: str, chain: str) -> dict[str, Any]:
        """Another resource with the same properties, below the components in `chain`, which ends in its own type."""
        added = copy.deepcopy(self.resources[like])
        head = added["urn"].split("::")[:2]
        added.update(urn="::".join([*head, chain, name]), type=chain.rpartition("$")[2])
        self.resources[name] = added
        return added

    def save(self, path: Path) -> Path:
        rows = [
            {**row, "outputs": {**row["inputs"], **self.outputs.get(name, {})}} for name, row in self.resources.items()
        ]
        manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
        path.write_text(json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": rows}}))
        return path


def _kept(value: Any) -> Any:
    """Inputs as a preview prints them, with its «[secret]» a secret again."""
    match value:
        case "[secret]":
            return SECRET
        case {**entries}:
            return {key: _kept(inner) for key, inner in entries.items()}
        case [*items]:
            return [_kept(inner) for inner in items]
        case _:
            return value
