"""Hooks that let a Helm release be installed and upgraded again after an `up` that was cut off.

Helm records a release in Secrets. An install that was killed leaves one that no state knows, and Helm refuses the name
from then on; an upgrade that was killed leaves 'another operation is in progress' (pulumi-kubernetes#2054). Right
before the engine creates or updates the release, release-unlock.sh takes such records away; the objects stay, and Helm
adopts them, since they carry the release's name. A hook runs only then: a preview and a destroy do not come here.
"""

from __future__ import annotations

import os
import subprocess
from typing import Literal

import pulumi

from components.shell import SCRIPTS


def release_guard(name: str, cluster: str, release: str, namespace: str) -> pulumi.ResourceHookBinding:
    """Hooks for the release's resource options. A script that fails fails the resource, with its words."""

    def hook(records: Literal["all", "pending"]) -> pulumi.ResourceHook:
        def unlock(_: pulumi.ResourceHookArgs) -> None:
            done = subprocess.run(
                ["bash", f"{SCRIPTS}/release-unlock.sh"],
                env={**os.environ, "CLUSTER": cluster, "RELEASE": release, "NAMESPACE": namespace, "RECORDS": records},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"the Helm release {release} cannot be unlocked: {done.stderr.strip()}")

        return pulumi.ResourceHook(f"{name}-unlock-{records}", unlock)

    return pulumi.ResourceHookBinding(before_create=[hook("all")], before_update=[hook("pending")])
