"""Hooks that let a Helm release be installed and upgraded again after an `up` that was cut off.

Helm records a release in Secrets. An install that was killed leaves one that no state knows, and Helm refuses the name
from then on; an upgrade that was killed leaves 'another operation is in progress' (pulumi-kubernetes#2054). Right
before the engine creates or updates the release, release_unlock.py takes such records away; the objects stay, and Helm
adopts them, since they carry the release's name. A hook runs only then: a preview and a destroy do not come here.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from steps.release_unlock import Needs, unlock
from steps.running import StepError


def release_guard(name: str, cluster: str, release: str, namespace: str) -> pulumi.ResourceHookBinding:
    """Hooks for the release's resource options. One that fails fails the resource, with its words."""

    def hook(records: Literal["all", "pending"]) -> pulumi.ResourceHook:
        def run(_: pulumi.ResourceHookArgs) -> None:
            try:
                unlock(Needs(cluster=cluster, release=release, namespace=namespace, records=records))
            except StepError as error:
                raise RuntimeError(f"the Helm release {release} cannot be unlocked: {error}") from error

        return pulumi.ResourceHook(f"{name}-unlock-{records}", run)

    return pulumi.ResourceHookBinding(before_create=[hook("all")], before_update=[hook("pending")])
