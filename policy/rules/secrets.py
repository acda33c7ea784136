"""Secrets: what is one is marked as one, in inputs, outputs and the provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reading import CLUSTER
from rule import COMMAND, KUBERNETES_PROVIDER, STACK, Resource, Settings, resource_rule, stack_rule, texts
from wire import is_secret, plain_texts

_NAMES = [r"(?i)(password|passwd|passphrase|token|secret|api[_-]?key|private[_-]?key|credentials?|kubeconfig)$"]
_CONTENT = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|client-key-data\s*:")
_SETTINGS = {"names": texts("regular expressions; a key that one of them finds holds a secret", _NAMES)}


def _plain(properties: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Paths only: the value is what must not be seen."""
    for path, key, text in plain_texts(properties):
        if text and (_CONTENT.search(text) or any(re.search(name, key) for name in names)):
            yield path


def _inputs(resource: Resource, settings: Settings) -> Iterator[str]:
    for path in _plain(resource.sent, settings["names"]):
        yield (
            f"{path} is in the clear in the state; give it as a secret: pulumi config set --secret, or "
            f"pulumi.Output.secret(…)"
        )
    if resource.type == "kubernetes:core/v1:Secret":
        for field in ("data", "stringData"):
            kept = is_secret(resource.sent.get(field))
            if not kept and list(plain_texts(resource.sent.get(field))):
                yield f"{field} of a Secret is in the clear in the state; wrap it in pulumi.Output.secret(…)"


def _outputs(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    for each in resources:
        if each.type == STACK or each.type.startswith("cni-migration:"):
            shown = each.sent
        elif each.type == COMMAND:
            shown = {name: each.sent.get(name) for name in ("stdout", "stderr")}
        else:
            continue  # Kubernetes' outputs are its inputs again, which the rule of inputs has looked at.
        for path in _plain(shown, settings["names"]):
            yield each, f"the output {path} is in the clear; export pulumi.Output.secret(…) instead"


def _kubeconfig(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type == COMMAND and resource.name == CLUSTER and "stdout" not in resource.secret_outputs:
        yield 'its stdout is the kubeconfig: set additional_secret_outputs=["stdout"]'
    if resource.type == KUBERNETES_PROVIDER and not is_secret(resource.sent.get("kubeconfig")):
        yield "kubeconfig is missing or in the clear: give the cluster's own, as pulumi.Output.secret(…)"


RULES = [
    resource_rule("no-plain-secret-inputs", "No secret is in the clear in an input.", _inputs, settings=_SETTINGS),
    stack_rule("no-plain-secret-outputs", "No secret is in the clear in an output.", _outputs, settings=_SETTINGS),
    resource_rule("kubeconfig-is-secret", "The kubeconfig is kept as a secret all the way.", _kubeconfig),
]
