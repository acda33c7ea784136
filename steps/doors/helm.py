"""The door to Helm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.doors.process import run
from steps.running import StepError, say


def releases(kubeconfig: Path, namespace: str) -> list[str]:
    """The names of all releases of a namespace, those of an operation that was cut off included."""
    return list(listed(kubeconfig, namespace))


def listed(kubeconfig: Path, namespace: str) -> dict[str, str]:
    """The chart, as NAME-VERSION, of each of these releases.

    Asked state by state: `--all` is gone in Helm 4, and without it Helm 3 lists only what is deployed or has failed.
    """
    states = ["--deployed", "--failed", "--pending", "--superseded", "--uninstalling", "--uninstalled"]
    answer = run(["helm", f"--kubeconfig={kubeconfig}", "list", "--namespace", namespace, *states, "--output", "json"])
    try:
        return {str(release["name"]): str(release.get("chart", "")) for release in json.loads(answer)}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StepError(f"helm's list of releases cannot be read: {answer[:200]!r}") from error


@dataclass(frozen=True, kw_only=True)
class Release:
    """The last revision of a release: `values` are what it was given, without the chart's own; `manifest` is what it
    was rendered to, in YAML; `status` is Helm's word (`deployed`, `failed`, `pending-upgrade` …)."""

    chart: str
    status: str
    revision: int
    values: Mapping[str, Any]
    manifest: str


def release(kubeconfig: Path, namespace: str, name: str) -> Release | None:
    """A release as Helm has recorded it, None where Helm lists none. Raises ToolError where Helm gives no answer."""
    charts = listed(kubeconfig, namespace)
    if name not in charts:
        return None
    answer = run(["helm", f"--kubeconfig={kubeconfig}", "status", name, "--namespace", namespace, "--output", "json"])
    try:
        said = json.loads(answer)
        return Release(
            chart=charts[name],
            status=str(said["info"]["status"]),
            revision=int(said["version"]),
            # Helm leaves it out where the release was given none.
            values=dict(said.get("config") or {}),
            manifest=str(said["manifest"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        # Not what it said: the values may hold a secret.
        raise StepError(f"helm's word on the release {name} cannot be read ({type(error).__name__})") from error


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
