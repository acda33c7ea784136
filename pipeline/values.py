"""Which values of a resource may be shown, and where two states of it differ. Pure.

A value is shown only where its key is on the list below: what is not known to be harmless is named and not shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

SECRET = "[secret]"
# How Pulumi marks a secret where it does not mask it (sdk/go/common/resource/sig).
SIGNATURE, SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
# Inputs that are JSON in a text: the values of the chart, as preflight is told them.
_JSON_TEXTS = ("stdin",)
_STEPS = (
    "CNI DRAINS DRAIN_SECONDS EPOCH GENERATION HERTZ IMAGES MAX_FAILURES MAX_GAP_SECONDS NEEDS_ONE_L2 NODE NODES "
    "POD_SUBNET SERVICE_SUBNET STACK STRATEGY TAKES_NETWORK_DOWN CHART_VERSION CLUSTER"
)
_VALUES = (
    "autoDirectNodeRoutes bpf.hostLegacyRouting bpf.masquerade cni.exclusive debug.enabled enableIPv4Masquerade "
    "encryption.enabled hubble.enabled hubble.relay.enabled hubble.relay.rollOutPods hubble.ui.enabled ipam.mode "
    "hubble.ui.service.nodePort hubble.ui.service.type "
    "ipv4NativeRoutingCIDR k8sServiceHost k8sServicePort kubeProxyReplacement l7Proxy MTU operator.replicas "
    "operator.rollOutPods operator.setNodeTaints operator.unmanagedPodWatcher.restart policyEnforcementMode "
    "prometheus.enabled rollOutCiliumPods routingMode tunnelProtocol updateStrategy.type"
)
# Dotted keys. `values` is of the Helm release, `stdin` the same values as preflight gets them.
SAFE = frozenset(
    {
        *(f"environment.{name}" for name in _STEPS.split()),
        *(f"{root}.{name}" for root in ("values", "stdin") for name in _VALUES.split()),
        *("version", "spec.replicas", "metadata.namespace", "metadata.name", "create", "update", "delete"),
    }
)
# Of what is on the list: a word, an address, an image, a list of nodes. Anything else is no such value.
_HARMLESS = re.compile(r"[\w.:/@ -]{0,600}")
_SECRETIVE = re.compile(
    r"pass(word|wd|phrase)?$|token|secret$|credential|private|api_?key|(^|[_-])key$|auth|kubeconfig|cert|^pem$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One key that is another one; `before` and `after` are empty where they may not be shown."""

    path: str
    before: str = ""
    after: str = ""


def leaves(value: object, path: str = "") -> dict[str, object]:
    """The dotted key of each value in a tree. A secret is one value, whatever is in it."""
    if isinstance(value, str) and path in _JSON_TEXTS and value.startswith("{"):
        try:
            return leaves(cast(object, json.loads(value)), path)
        except ValueError:
            return {path: value}
    if isinstance(value, Mapping):
        tree = cast("Mapping[str, object]", value)
        if tree.get(SIGNATURE) == SECRET_SIGNATURE:
            return {path: SECRET}
        below = [leaves(item, f"{path}.{key}" if path else str(key)) for key, item in tree.items()]
        return {name: leaf for found in below for name, leaf in found.items()} or {path: {}}
    if isinstance(value, list):
        below = [leaves(item, f"{path}[{number}]") for number, item in enumerate(cast("list[object]", value))]
        return {name: leaf for found in below for name, leaf in found.items()} or {path: []}
    return {path: value}


def differences(old: object, new: object, named: Mapping[str, Any] | None) -> tuple[Changed, ...]:
    """Where the inputs differ, and what the provider names beyond that: a secret is masked on both sides."""
    before, after = leaves(old), leaves(new)
    missing = object()
    paths = [path for path in {**before, **after} if before.get(path, missing) != after.get(path, missing)]
    known = (*paths, *_JSON_TEXTS) if any(path.startswith(_JSON_TEXTS) for path in paths) else tuple(paths)
    more = [path for path in named or {} if not any(_within(path, other) for other in known)]
    found = [Changed(path=path, before=shown(path, before), after=shown(path, after)) for path in paths]
    return tuple(found + [Changed(path=path) for path in more])


def shown(path: str, tree: Mapping[str, object]) -> str:
    """The value as it may be shown, empty where it may not be."""
    value = tree.get(path)
    if path not in SAFE or path not in tree:
        return ""
    if value == SECRET:
        return SECRET
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return text if _HARMLESS.fullmatch(text) else ""


def secretive(tree: object) -> set[str]:
    """Texts that a message must not repeat: what is marked as a secret in the clear, and what the name of its key says
    to be one."""
    found = {leaf for path, leaf in leaves(tree).items() if isinstance(leaf, str) and _SECRETIVE.search(_key(path))}
    return {text for text in (found | _in_the_clear(tree)) if text != SECRET}


def _key(path: str) -> str:
    """The key itself: of password[0] and of password.value, too."""
    return re.sub(r"(\[\d+\]|\.value)+$", "", path).rsplit(".", 1)[-1]


def _in_the_clear(tree: object) -> set[str]:
    if isinstance(tree, list):
        return {text for item in cast("list[object]", tree) for text in _in_the_clear(item)}
    if not isinstance(tree, Mapping):
        return set()
    branch = cast("Mapping[str, object]", tree)
    if branch.get(SIGNATURE) != SECRET_SIGNATURE:
        return {text for item in branch.values() for text in _in_the_clear(item)}
    held = branch.get("plaintext", branch.get("value"))
    try:
        inner: object = json.loads(held) if isinstance(held, str) else held
    except ValueError:
        inner = held
    return {str(leaf) for leaf in leaves(inner).values() if leaf not in (None, True, False)}


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}[")) or other.startswith((f"{path}.", f"{path}["))
