"""The door to Helm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from steps.doors.process import run
from steps.running import StepError, say


def releases(kubeconfig: Path, namespace: str) -> list[str]:
    """The names of all releases of a namespace, those of an operation that was cut off included.

    Asked state by state: `--all` is gone in Helm 4, and without it Helm 3 lists only what is deployed or has failed.
    """
    states = ["--deployed", "--failed", "--pending", "--superseded", "--uninstalling", "--uninstalled"]
    answer = run(["helm", f"--kubeconfig={kubeconfig}", "list", "--namespace", namespace, *states, "--output", "json"])
    try:
        return [str(release["name"]) for release in json.loads(answer)]
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"helm's list of releases cannot be read: {answer[:200]!r}") from error


def uninstall(kubeconfig: Path, namespace: str, release: str, seconds: int) -> None:
    """Uninstalls a release and waits until its objects are gone."""
    wait = ["--wait", "--timeout", f"{seconds}s"]
    command = ["helm", f"--kubeconfig={kubeconfig}", "uninstall", release, "--namespace", namespace, *wait]
    say(run(command, timeout=seconds + 60).strip())


def template(
    kubeconfig: Path,
    release: str,
    namespace: str,
    chart: str,
    repository: str,
    version: str,
    kube_version: str,
    values: str,
    *,
    api_versions: Sequence[str] = (),
) -> str:
    """The chart rendered with `values` (YAML or JSON), as for a cluster that serves `api_versions` (GROUP/VERSION or
    GROUP/VERSION/KIND) besides Kubernetes' own."""
    source = [chart, *(["--repo", repository] if repository else []), *(["--version", version] if version else [])]
    where = ["--namespace", namespace, "--kube-version", kube_version, "--values", "-"]
    served = [f"--api-versions={api}" for api in api_versions]
    command = ["helm", f"--kubeconfig={kubeconfig}", "template", release, *source, *where, *served]
    return run(command, stdin=values, timeout=300)
