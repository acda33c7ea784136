"""The two clusters: stacks of this very project, with names, subnets and a state of their own.

Nothing here touches a stack of the user's: the configuration is a file of the benchmark's own, so that a `cluster.name`
in the user's Pulumi.flannel.yaml is not that of a cluster which is measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bench.order import Side
from bench.pulumi import ROOT, pulumi
from steps.running import StepError, say

FOLDER = ROOT / ".state" / "bench"
# Each network has to carry something from one node to another.
WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One side: the stack of that name, and the cluster that it makes."""

    side: Side
    name: str
    pod_subnet: str
    service_subnet: str


CLUSTERS: Mapping[Side, Cluster] = {
    "flannel": Cluster(
        side="flannel", name="cni-bench-flannel", pod_subnet="10.241.0.0/16", service_subnet="10.81.0.0/16"
    ),
    "cilium": Cluster(
        side="cilium", name="cni-bench-cilium", pod_subnet="10.242.0.0/16", service_subnet="10.82.0.0/16"
    ),
}


def configuration(cluster: Cluster, committed: str, workers: int = WORKERS) -> str:
    """The stack's configuration: the one of this project, with the benchmark's cluster, and without the probers of a
    migration, which would be measured as well. What the user has set in it does not count, but for the salt of his
    passphrase."""
    tree: Mapping[str, Any] = yaml.safe_load(committed)
    return yaml.safe_dump(
        {
            **({"encryptionsalt": tree["encryptionsalt"]} if "encryptionsalt" in tree else {}),
            "config": {
                "pulumi:disable-default-providers": ["kubernetes"],
                "cni-migration:cni": cluster.side,
                "cni-migration:cluster": {
                    "name": cluster.name,
                    "controlPlanes": 1,
                    "workers": workers,
                    "podSubnet": cluster.pod_subnet,
                    "serviceSubnet": cluster.service_subnet,
                },
                "cni-migration:traffic": {"enabled": False},
                # It is made with its CNI and never migrated; the default goes by what is measured.
                "migration:strategy": "recreate",
                # Neither takes the port at which the user's own cluster shows Hubble.
                "cni-migration:hubble": {"port": 0},
            },
        }
    )


def up(cluster: Cluster, workers: int = WORKERS) -> Mapping[str, Any]:
    """The cluster, made or found, and verified; its stack's outputs, without secrets."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if cluster.side not in _stacks():
        _pulumi("stack", "init", cluster.side, "--no-select")
    path = FOLDER / f"Pulumi.{cluster.side}.yaml"
    path.write_text(configuration(cluster, (ROOT / f"Pulumi.{cluster.side}.yaml").read_text(), workers))
    say(f"pulumi up: {cluster.name}")
    _pulumi("up", "--stack", cluster.side, "--config-file", str(path), "--yes", "--skip-preview")
    outputs: Mapping[str, Any] = json.loads(_pulumi("stack", "output", "--stack", cluster.side, "--json"))
    if outputs.get("cluster") != cluster.name or outputs.get("cni") != cluster.side:
        raise StepError(f"the stack {cluster.side} is {outputs.get('cluster')} with {outputs.get('cni')}")
    return outputs


def down(cluster: Cluster) -> None:
    """The cluster is gone, and its stack. What is not there is no failure; a question that failed is one."""
    if cluster.side not in _stacks():
        return
    path = FOLDER / f"Pulumi.{cluster.side}.yaml"
    say(f"pulumi destroy: {cluster.name}")
    _pulumi("destroy", "--stack", cluster.side, "--config-file", str(path), "--yes", "--skip-preview")
    _pulumi("stack", "rm", cluster.side, "--yes", "--preserve-config")


def _stacks() -> set[str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return {str(stack["name"]) for stack in json.loads(_pulumi("stack", "ls", "--json"))}


def _pulumi(*words: str) -> str:
    env = {"PULUMI_BACKEND_URL": FOLDER.as_uri()}
    if "PULUMI_CONFIG_PASSPHRASE_FILE" not in os.environ:
        env["PULUMI_CONFIG_PASSPHRASE"] = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    return pulumi(*words, env=env)
