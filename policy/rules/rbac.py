"""RBAC: no wildcards, no cluster-admin, no rights on the whole cluster but the CNI's."""

from __future__ import annotations

from collections.abc import Iterator

from reading import CNI, at, items
from rule import Resource, Settings, resource_rule, texts


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    _, _, kind = resource.type.rpartition(":")
    if not resource.type.startswith("kubernetes:rbac.authorization.k8s.io/"):
        return
    if at(resource.props, "roleRef", "name") == "cluster-admin":
        yield "it binds cluster-admin; write a role with the verbs and resources that are needed"
    if resource.within(settings["cniComponents"]):
        return
    if kind in ("ClusterRole", "ClusterRoleBinding"):
        yield f"a {kind} outside the CNI; a Role and a RoleBinding in its namespace are enough"
    for rule in items(resource.props, "rules"):
        wild = [field for field in ("verbs", "resources", "apiGroups") if "*" in items(rule, field)]
        if wild:
            yield f"«*» in {', '.join(wild)}: name those that are needed"


RULES = [
    resource_rule(
        "narrow-rbac",
        "Rights are named one by one; those on the whole cluster are the CNI's.",
        _check,
        settings={"cniComponents": texts("components that may have rights on the whole cluster", CNI)},
    )
]
