"""What a machine without a cluster shows a reviewer."""

from __future__ import annotations

import pytest

from e2e.real import NAME, Real, run

pytestmark = pytest.mark.e2e


def test_a_preview_without_a_cluster_lists_the_plan_and_makes_nothing(real: Real) -> None:
    plan = [step for step in real.stacks["flannel"].preview_steps() if step.op == "create"]
    assert len(plan) > 25, "the reviewer would not see what is going to be made"
    assert run("docker", "ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={NAME}") == ""
