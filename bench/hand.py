"""The migration by hand, bench/by-hand.sh: what it is given, so that it installs what `pulumi up` would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from bench.pulumi import PATIENCE, ROOT
from settings import layers, stack
from steps.doors import helm
from steps.doors.kubectl import Kubectl
from steps.doors.process import run
from steps.names import MARKER
from steps.running import StepError


def given(kubectl: Kubectl, cluster: str, folder: Path) -> Mapping[str, str]:
    """The script's environment, with the values of the release that stack cilium has in the cluster now; they are
    written into `folder`."""
    release = helm.release(kubectl.kubeconfig, "kube-system", "cilium")
    if release is None:
        raise StepError("stack cilium is up, and Helm does not know its release")
    values = folder / "values.yaml"
    values.write_text(yaml.safe_dump(dict(release.values)))
    chart = stack.parse({"cni": "cilium"}, layers.site()).cilium
    of = {"CHART": chart.chart, "REPOSITORY": chart.repository, "VERSION": chart.version}
    return {"CLUSTER": cluster, "VALUES": str(values), **of}


def announce(kubectl: Kubectl) -> None:
    """The marker says that somebody else migrates: what the next `up` finds must not pass for Flannel as stack flannel
    left it, however far it came by hand."""
    others = {"data": {"stack": "by-hand", "cni": "cilium", "phase": "ready"}}
    kubectl.patch("configmap", MARKER, others, namespace="kube-system", form="merge")


def migrate(env: Mapping[str, str]) -> None:
    """By hand, from Flannel to Cilium. Raises ToolError with what it said where it fails."""
    run(["bash", str(ROOT / "bench" / "by-hand.sh")], env=env, timeout=PATIENCE)
