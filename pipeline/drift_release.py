"""The Helm release against what the settings make of it: the provider does not read it back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding
from pipeline.drift_shown import shown
from steps.doors.helm import Release
from steps.names import RELEASE, SYSTEM

_WHERE = f"release {SYSTEM}/{RELEASE}"
_HISTORY = f"helm --namespace={SYSTEM} history {RELEASE}, then helm --namespace={SYSTEM} rollback {RELEASE} REVISION"


def release_findings(promise: Promise, release: Release | None) -> Iterator[Finding]:
    """That it is there, deployed, of the chart's version, and with the values that the settings make."""
    if release is None:
        yield Finding(
            kind="release",
            where=_WHERE,
            says="Helm knows no such release",
            remedy=f"pulumi up --stack {promise.stack} (Helm adopts what is there)",
        )
        return
    if release.status != "deployed":
        yield Finding(kind="release", where=_WHERE, says=f"Helm says {release.status}, not deployed", remedy=_HISTORY)
    version = promise.chart_version
    if version and release.chart != f"cilium-{version}":
        yield Finding(
            kind="release",
            where=_WHERE,
            says=f"its chart is {release.chart}, and the settings ask for {version}",
            remedy=_HISTORY,
        )
    for path, wanted, found in _differences("", promise.values, release.values):
        tunnel = path == "routingMode" and found == "tunnel"
        yield Finding(
            kind="helm-value",
            where=_WHERE,
            says=f"{path} is {shown(path, found, guarded=promise.guarded)}{', a tunnel' if tunnel else ''}, and the "
            f"settings make {shown(path, wanted, guarded=promise.guarded)}",
            remedy=_HISTORY,
        )


def _differences(path: str, wanted: object, found: object) -> Iterator[tuple[str, object, object]]:
    """The path of each value that differs, with what is wanted and what is found; None for what is not there."""
    # A mapping that is not there at all has none of the values.
    left, right = (cast("object", {}) if it is None else it for it in (wanted, found))
    if wanted != found and isinstance(left, Mapping) and isinstance(right, Mapping):
        left, right = cast("Mapping[str, object]", left), cast("Mapping[str, object]", right)
        for key in sorted(left.keys() | right.keys()):
            yield from _differences(f"{path}.{key}" if path else key, left.get(key), right.get(key))
    elif wanted != found:
        yield path, wanted, found
