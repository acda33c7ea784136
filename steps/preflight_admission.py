"""Whether the API lets in what will be installed, asked by a server-side dry run of each object and of a Pod of each of
its templates: a policy for Pods says nothing to the DaemonSet whose Pods it then refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.objects import full_name, part
from steps.running import StepError
from steps.side_by_side import each

# Objects a question: enough that there are few questions, and few enough that the answer is heard as a whole.
_AT_ONCE = 20
# Who makes the Pods of a DaemonSet: a policy may leave an administrator in peace and not a controller.
_CONTROLLER = "--as=system:serviceaccount:kube-system:daemon-set-controller"
# Answers that refuse nothing that will be installed.
_FINE = ("(AlreadyExists)", "does not support dry run")


def pods_of(objects: Iterable[Object]) -> list[Object]:
    """A Pod of each template among the objects. Without its account, which is not there yet either."""
    found: list[Object] = []
    for item in objects:
        template = part(item, "spec", "template")
        if "containers" not in part(template, "spec"):
            continue
        metadata = {key: part(template, "metadata", key) for key in ("labels", "annotations")}
        spec = {key: value for key, value in part(template, "spec").items() if not key.startswith("serviceAccount")}
        name = f"preflight-{item['metadata']['name']}"
        found.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": item["metadata"].get("namespace", "default"), **metadata},
                "spec": {**spec, "automountServiceAccountToken": False},
            }
        )
    return found


def refusals(kubectl: Kubectl, objects: Sequence[Object], pods: Sequence[Object]) -> list[str]:
    """A line for each that the API refuses, with its answer. What comes to a namespace that is not there yet, or that
    is at its end and made anew, cannot be asked for. Raises StepError where the API gave no answer."""
    there = {
        item["metadata"]["name"]
        for item in kubectl.objects("namespaces")
        if part(item, "status").get("phase") != "Terminating"
    }
    asked = [(item, ()) for item in objects] + [(pod, (_CONTROLLER,)) for pod in pods]
    known = [(item, who) for item, who in asked if item["metadata"].get("namespace", "") in {*there, ""}]
    found: list[str] = []
    for who in ((), (_CONTROLLER,)):
        items = [item for item, by in known if by == who]
        for start in range(0, len(items), _AT_ONCE):
            found += _of(kubectl, items[start : start + _AT_ONCE], who)
    return found


def _of(kubectl: Kubectl, items: Sequence[Object], who: Sequence[str]) -> list[str]:
    """One question where nothing is refused; else one an object, since an answer need not name what it refuses."""
    if not _answer(kubectl, {"apiVersion": "v1", "kind": "List", "items": list(items)}, who):
        return []
    names = {f"{item['kind']} {full_name(item)}": item for item in items}
    said = each({name: (lambda item=item: _answer(kubectl, item, who)) for name, item in names.items()}, "a dry run")
    return [f"the API refuses {name}: {answer}" for name, answer in said.items() if answer]


def _answer(kubectl: Kubectl, item: Mapping[str, object], who: Sequence[str]) -> str:
    """Empty where the API would take it, or has it already: whether it is let in is asked before that."""
    try:
        told = ("create", "--dry-run=server", "--output=name", "--filename=-", *who)
        kubectl.run(*told, stdin=json.dumps(item, default=str))
    except ToolError as error:
        if not error.said:
            raise StepError(f"the API was not heard on what it would refuse: {error}") from error
        lines = [line for line in error.said.splitlines() if line.strip() and not any(fine in line for fine in _FINE)]
        return " ".join(" ".join(lines).split())
    return ""
