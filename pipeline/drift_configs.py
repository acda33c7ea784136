"""The ConfigMaps that this project writes, agents older than those, and Hubble. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.drift_facts import Objects
from pipeline.drift_nodes import FLANNEL, PROXY
from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding
from pipeline.drift_workloads import APPLY
from steps.doors.kubectl import Object
from steps.names import SYSTEM
from steps.objects import full_name, part, parts

_PAGE = f"{SYSTEM}/hubble-ui"
_READERS = {f"{SYSTEM}/kube-proxy": PROXY, "kube-flannel/kube-flannel-cfg": FLANNEL}


def config_findings(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """ConfigMaps of this project's own: their texts, and agents that were started before the last change of one."""
    for name, data in promise.config_maps.items():
        agent = _READERS[name]
        item = objects.config_map(name)
        found = part(item, "data")
        wrong = sorted(key for key, text in data.items() if found.get(key) != text)
        if wrong:
            yield Finding(
                kind="config",
                where=f"configmap {name}",
                says=f"its {', '.join(wrong)} is not what the settings make" if item else "it is gone",
                remedy=f"pulumi up --stack {promise.stack}",
            )
        changed = _changed(item)
        for pod in objects.pods:
            begun = _begun(pod)
            if changed and begun and agent.runs_as(pod) and begun < changed:
                yield Finding(
                    kind="agent-config",
                    where=str(part(pod, "spec").get("nodeName", "")),
                    says=f"{agent.name} there was started at {begun:%FT%TZ}, before configmap {name} was changed "
                    f"({changed:%FT%TZ}): it runs an older configuration",
                    remedy=f"kubectl --namespace={agent.namespace} delete pod {part(pod, 'metadata')['name']}",
                )


def hubble_findings(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """Hubble where the settings ask for it: on in the agents' configuration, relay and page with a Pod that serves."""
    if not _true(promise.value("hubble", "enabled")):
        return
    config = objects.config_map(f"{SYSTEM}/cilium-config")
    if part(config, "data").get("enable-hubble") != "true":
        yield Finding(
            kind="hubble",
            where=f"configmap {SYSTEM}/cilium-config",
            says="enable-hubble is not true: the agents record no flows once they start again",
            remedy=APPLY,
        )
    if _true(promise.value("hubble", "relay", "enabled")):
        yield from _served(objects, "hubble-relay", "nobody can ask for flows")
    if _true(promise.value("hubble", "ui", "enabled")):
        yield from _served(objects, "hubble-ui", "nobody sees its page")
        yield from _reached(promise, objects)


def _served(objects: Objects, name: str, lost: str) -> Iterator[Finding]:
    """A Deployment without a Pod that is ready."""
    found = next((it for it in objects.workloads if full_name(it) == f"{SYSTEM}/{name}"), None)
    if not (found and int(part(found, "status").get("availableReplicas") or 0)):
        yield Finding(
            kind="hubble",
            where=f"deployment {SYSTEM}/{name}",
            says=f"no Pod of it is ready: {lost}" if found else f"it is gone: {lost}",
            remedy=f"kubectl --namespace={SYSTEM} describe deployment {name}" if found else APPLY,
        )


def _reached(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """The page's Service, where it is promised at a NodePort: a port of the machine may lead there."""
    service, port = (
        promise.value("hubble", "ui", "service", "type"),
        promise.value("hubble", "ui", "service", "nodePort"),
    )
    if service != "NodePort" or not port:
        return
    found = next((it for it in objects.services if full_name(it) == _PAGE), Object())
    if str(port) not in [str(it.get("nodePort")) for it in parts(found, "spec", "ports")]:
        yield Finding(
            kind="hubble",
            where=f"service {_PAGE}",
            says=f"it is not at NodePort {port}" if found else "it is gone",
            remedy=APPLY,
        )


def _begun(pod: Object) -> datetime | None:
    """When the last of its containers began."""
    times = [part(it, "state", "running").get("startedAt") for it in parts(pod, "status", "containerStatuses")]
    return max((datetime.fromisoformat(time) for time in times if time), default=None)


def _changed(config_map: Object) -> datetime | None:
    """When its data was changed last, by the API's own record of who wrote what."""
    records = parts(config_map, "metadata", "managedFields")
    times = [it["time"] for it in records if "f:data" in part(it, "fieldsV1") and it.get("time")]
    return max((datetime.fromisoformat(time) for time in times), default=None)


def _true(value: object) -> bool:
    return value in (True, "true")
