"""What a user has of Cilium's kinds outlives Cilium: named and kept before it goes, made again when it comes back. A
namespace goes only where nothing of anybody else is in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from steps import kept, kept_objects, namespaces, old_cni
from steps.cilium_kinds import CRDS
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.running import StepError

OF_THE_CHART = {"meta.helm.sh/release-name": "cilium", "meta.helm.sh/release-namespace": "kube-system"}
POLICIES = "ciliumnetworkpolicies.cilium.io"


class Api(Kubectl):
    """A cluster's API that keeps objects by resource, namespace and name, and what was done to it."""

    def __init__(self) -> None:
        super().__init__(Path("none"))
        self.items: dict[str, list[Object]] = {}
        self.log: list[str] = []
        self.refused: dict[str, str] = {}
        self.lossy = False
        self.kinds = "configmaps secrets serviceaccounts pods pods.metrics.k8s.io events"

    def put(self, resource: str, kind: str, name: str, namespace: str = "", **more: Any) -> Object:
        metadata: dict[str, Any] = {"name": name, "uid": f"u-{name}", "resourceVersion": "7", "managedFields": [{}]}
        metadata |= {"namespace": namespace} if namespace else {}
        metadata |= {"creationTimestamp": "2026-01-01T00:00:00Z", **more.pop("metadata", {})}
        item: Object = {"apiVersion": more.pop("apiVersion", "v1"), "kind": kind, "metadata": metadata, **more}
        self.items.setdefault(resource, []).append(item)
        return item

    def crds(self, *names: str) -> None:
        for name in names:
            versions = [{"name": "v2", "served": True, "storage": True}]
            self.put("customresourcedefinitions", "CRD", name, spec={"group": "cilium.io", "versions": versions})

    def policy(self, name: str, **metadata: Any) -> Object:
        return self.put(
            POLICIES,
            "CiliumNetworkPolicy",
            name,
            "shop",
            apiVersion="cilium.io/v2",
            metadata=metadata,
            spec={"endpointSelector": {}},
            status={"conditions": []},
        )

    def run(self, *args: str, stdin: str = "", timeout: float = 0) -> str:
        self.fail(args[0])
        return self.kinds

    def fail(self, what: str) -> None:
        if what in self.refused:
            raise ToolError("kubectl failed", self.refused[what])

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        self.fail(f"list {kind}")
        found = [item for each in kind.split(",") for item in self.items.get(each, [])]
        labels = dict([selector.split("=")]) if selector else {}
        return copy.deepcopy(
            [
                item
                for item in found
                if (not namespace or item["metadata"].get("namespace") == namespace)
                and labels.items() <= item["metadata"].get("labels", {}).items()
            ]
        )

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        plural = kind if kind.endswith(("s", ".io")) else f"{kind}s"
        found = self.objects(plural, namespace=namespace)
        return next((item for item in found if item["metadata"]["name"] == name), None)

    def create(self, manifest: Any) -> None:
        self.fail(f"create {manifest['metadata']['name']}")
        item = json.loads(json.dumps(manifest))
        resource = {"Secret": "secrets", "ConfigMap": "configmaps"}.get(item["kind"], POLICIES)
        if any(each["metadata"]["name"] == item["metadata"]["name"] for each in self.items.get(resource, [])):
            raise ToolError("kubectl failed", "AlreadyExists")
        if self.lossy and resource == "secrets":
            item["data"] = {}
        item["metadata"]["creationTimestamp"] = f"2026-01-02T00:00:{len(self.log):02d}Z"
        self.items.setdefault(resource, []).append(item)
        self.log.append(f"create {item['metadata']['name']}")

    def delete(self, *what: str, seconds: int = 120) -> None:
        kind, *names = [word for word in what if not word.startswith("--")]
        for each in kind.split(","):
            plural = each if each.endswith("s") else f"{each}s"
            self.items[plural] = [i for i in self.items.get(plural, []) if i["metadata"]["name"] not in names]
            if plural == "customresourcedefinitions":
                for name in names:
                    self.items.pop(name, None)
        self.log.append(f"delete {kind} {' '.join(names)}")

    def wait(self, *what: str, until: str, seconds: int) -> None: ...

    def names(self, resource: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.items.get(resource, [])]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    made.put("namespaces", "Namespace", "shop")
    made.crds(POLICIES, "ciliumnodes.cilium.io", "tracingpolicies.cilium.io")

    def uninstall(*_: object) -> None:
        made.log.append("helm uninstall")

    def releases(*_: object) -> list[str]:
        return ["cilium"]

    monkeypatch.setattr(old_cni.helm, "releases", releases)
    monkeypatch.setattr(old_cni.helm, "uninstall", uninstall)
    return made


def position(log: Sequence[str], words: str) -> int:
    return next(index for index, line in enumerate(log) if line.startswith(words))


def test_a_users_policies_are_kept_before_anything_of_cilium_goes_and_stand_again_after(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.policy("front")
    api.put("ciliumnodes.cilium.io", "CiliumNode", "n")
    old_cni.remove_cilium(api)
    assert "CiliumNetworkPolicy shop/front" in capsys.readouterr().err, "nobody was told what goes"
    kept_at = position(api.log, "create cni-migration-kept-")
    assert kept_at < position(api.log, "helm uninstall") < position(api.log, "delete customresourcedefinitions"), (
        api.log
    )
    assert api.names(POLICIES) == [] and "tracingpolicies.cilium.io" in api.names("customresourcedefinitions")
    api.crds(POLICIES)
    kept_objects.restore(api)
    (policy,) = api.items[POLICIES]
    assert policy["spec"] == {"endpointSelector": {}}, "a policy came back as another one"
    assert not {"uid", "resourceVersion", "managedFields"} & policy["metadata"].keys() and "status" not in policy
    assert api.names("secrets") == [], "the copies would come back for ever"


def test_what_a_user_makes_while_helm_works_is_kept_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def uninstall(*_: object) -> None:
        api.policy("late")

    monkeypatch.setattr(old_cni.helm, "uninstall", uninstall)
    old_cni.remove_cilium(api)
    api.crds(POLICIES)
    kept_objects.restore(api)
    assert api.names(POLICIES) == ["late"], "it would go with its kind, unnamed"


def test_a_copy_that_does_not_hold_what_it_should_stops_the_removal(api: Api) -> None:
    api.policy("front")
    api.lossy = True
    with pytest.raises(StepError, match="cannot be read"):
        old_cni.remove_cilium(api)
    assert api.names(POLICIES) == ["front"] and "helm uninstall" not in api.log, "the policy would be lost"


@pytest.mark.parametrize("question", ["customresourcedefinitions", POLICIES, "secrets"])
def test_a_question_that_failed_stops_the_removal(api: Api, question: str) -> None:
    api.policy("front")
    api.refused[f"list {question}"] = "the API does not answer"
    with pytest.raises(StepError):
        old_cni.remove_cilium(api)
    assert api.names(POLICIES) == ["front"] and "helm uninstall" not in api.log, "the policy would be lost"


def test_what_cilium_makes_itself_is_not_kept(api: Api) -> None:
    api.crds(*CRDS - {POLICIES, "ciliumnodes.cilium.io"})
    for kind in ("ciliumnodes", "ciliumendpoints", "ciliumidentities", "ciliumendpointslices"):
        api.put(f"{kind}.cilium.io", kind, "made")
    api.policy("of-the-chart", annotations=OF_THE_CHART)
    api.policy("of-another", ownerReferences=[{"apiVersion": "cilium.io/v2", "kind": "X"}])
    assert kept_objects.users_objects(api) == [], "an identity that is made again would fight with the new Cilium's"


def test_an_object_of_a_users_own_release_of_the_same_name_is_kept(api: Api) -> None:
    api.policy("of-mine", annotations={**OF_THE_CHART, "meta.helm.sh/release-namespace": "policies"})
    assert len(kept_objects.users_objects(api)) == 1, "it would go with Cilium's CRDs, and nobody would make it again"


def test_a_users_secret_in_ciliums_namespace_is_kept_and_a_synced_copy_is_not(api: Api) -> None:
    api.put("namespaces", "Namespace", "cilium-secrets")
    api.put("secrets", "Secret", "tls", "cilium-secrets", data={"key": "a2V5"})
    synced = {"secretsync.cilium.io/owning-secret-name": "x"}
    api.put("secrets", "Secret", "shop-x", "cilium-secrets", metadata={"labels": synced})
    api.put("configmaps", "ConfigMap", "kube-root-ca.crt", "cilium-secrets")
    assert [each.name for each in kept_objects.users_objects(api)] == ["Secret cilium-secrets/tls"], (
        "Helm deletes that namespace with all in it"
    )


def test_whatever_is_in_a_namespace_that_helm_takes_is_kept_of_any_kind_and_under_any_name(api: Api) -> None:
    api.kinds += " externalsecrets.external-secrets.io"
    api.put("namespaces", "Namespace", "cilium-secrets")
    api.put("namespaces", "Namespace", "my-tls", metadata={"annotations": OF_THE_CHART})
    api.put("externalsecrets.external-secrets.io", "ExternalSecret", "tls", "cilium-secrets")
    api.put("secrets", "Secret", "ca", "my-tls")
    api.put("secrets", "Secret", "other", "shop")
    names = [each.name for each in kept_objects.users_objects(api)]
    assert names == ["ExternalSecret cilium-secrets/tls", "Secret my-tls/ca"], "Helm deletes these namespaces"


def test_an_api_that_went_with_the_network_bars_no_way_and_secrets_are_kept(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.put("namespaces", "Namespace", "cilium-secrets")
    api.put("secrets", "Secret", "tls", "cilium-secrets")
    api.refused["api-resources"] = "error: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1"
    assert [each.name for each in kept_objects.users_objects(api)] == ["Secret cilium-secrets/tls"]
    assert "not all kinds can be listed" in capsys.readouterr().err, "what else is in there would go unnamed"


def test_what_stands_again_is_kept_no_longer_while_another_waits(api: Api) -> None:
    api.policy("front")
    api.policy("back")
    kept_objects.keep(api)
    api.items[POLICIES] = []
    api.refused["create back"] = "denied by a webhook"
    with pytest.raises(StepError):
        kept_objects.restore(api)
    api.items[POLICIES] = []  # its user deletes `front`
    api.refused.clear()
    kept_objects.restore(api)
    assert api.names(POLICIES) == ["back"], "what its user has deleted since is back"
    assert api.names("secrets") == []


def test_many_objects_are_kept_in_several_copies_and_all_of_them_come_back(api: Api) -> None:
    for number in range(40):
        api.policy(f"p{number}", annotations={"note": "x" * 40_000})
    kept_objects.keep(api)
    copies = [name for name in api.names("secrets") if name.startswith("cni-migration-kept-")]
    assert len(copies) == 3, "a Secret takes 1 MiB"
    kept_objects.keep(api)
    assert len(api.names("secrets")) == 3, "each removal that was cut off would leave another copy"
    api.items[POLICIES] = []
    kept_objects.restore(api)
    assert len(api.items[POLICIES]) == 40 and api.names("secrets") == []


def test_what_was_refused_stays_kept_and_the_rest_stands(api: Api) -> None:
    api.policy("front")
    api.policy("back")
    kept_objects.keep(api)
    api.items[POLICIES] = []
    api.refused["create back"] = "denied by a webhook"
    with pytest.raises(StepError, match=r"shop/back: denied by a webhook"):
        kept_objects.restore(api)
    assert api.names(POLICIES) == ["front"] and len(api.names("secrets")) == 1, "the refused one would be gone"
    api.refused.clear()
    kept_objects.restore(api)
    assert sorted(api.names(POLICIES)) == ["back", "front"] and api.names("secrets") == []


def test_a_users_newer_object_stays_and_what_has_no_kind_or_namespace_is_kept_and_named(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.policy("front")
    kept_objects.keep(api)
    api.items[POLICIES][0]["spec"] = {"newer": True}
    kept_objects.restore(api)
    assert api.items[POLICIES][0]["spec"] == {"newer": True}, "what a user wrote since would be lost"
    kept_objects.keep(api)
    api.items[POLICIES], api.items["namespaces"] = [], []
    kept_objects.restore(api)
    assert len(api.names("secrets")) == 1 and "there is no namespace shop" in capsys.readouterr().err
    api.items["customresourcedefinitions"] = []
    kept_objects.restore(api)
    assert len(api.names("secrets")) == 1 and "this Cilium has no such kind" in capsys.readouterr().err


def test_an_object_whose_kind_another_tool_has_taken_along_is_kept_and_the_rest_stands(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "c"}}
    kept.write(api, [kept.Kept(crd="", manifest=certificate)])
    api.refused["list certificate.v1.cert-manager.io"] = 'error: the server doesn\'t have a resource type "certificate"'
    kept_objects.restore(api)
    assert "the cluster has no such kind" in capsys.readouterr().err, "no up would ever end well again"
    assert len(api.names("secrets")) == 1, "it would be lost"
    api.refused["list certificate.v1.cert-manager.io"] = "the server could not find out"
    with pytest.raises(StepError):
        kept_objects.restore(api)


def test_the_last_copy_of_an_object_counts(api: Api) -> None:
    api.policy("front")
    api.policy("back")
    kept_objects.keep(api)
    api.items[POLICIES][0]["spec"] = {"newer": True}
    api.items[POLICIES].pop()
    kept_objects.keep(api)
    api.items[POLICIES] = []
    kept_objects.restore(api)
    specs = {item["metadata"]["name"]: item["spec"] for item in api.items[POLICIES]}
    assert specs == {"front": {"newer": True}, "back": {"endpointSelector": {}}}, "a policy of yesterday would be back"


def test_a_version_that_cilium_serves_no_more_becomes_the_one_that_it_stores(api: Api) -> None:
    api.policy("front")["apiVersion"] = "cilium.io/v2alpha1"
    kept_objects.keep(api)
    api.items[POLICIES] = []
    kept_objects.restore(api)
    assert api.items[POLICIES][0]["apiVersion"] == "cilium.io/v2"


def flannels_namespace(api: Api) -> None:
    api.put("namespaces", "Namespace", "kube-flannel")
    for resource, kind, name in (
        ("configmaps", "ConfigMap", "kube-flannel-cfg"),
        ("configmaps", "ConfigMap", "kube-root-ca.crt"),
        ("serviceaccounts", "ServiceAccount", "flannel"),
        ("serviceaccounts", "ServiceAccount", "default"),
    ):
        api.put(resource, kind, name, "kube-flannel")
    owned = {"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}
    api.put("pods", "Pod", "kube-flannel-ds-x", "kube-flannel", metadata=owned)


def test_flannels_namespace_goes_where_only_flannel_is_in_it(api: Api) -> None:
    flannels_namespace(api)
    old_cni.remove_flannel_by_name(api, wait=False)
    assert "kube-flannel" not in api.names("namespaces")


def test_a_namespace_with_somebody_elses_object_stays_and_names_it(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    flannels_namespace(api)
    api.put("secrets", "Secret", "my-notes", "kube-flannel")
    old_cni.remove_flannel_by_name(api, wait=False)
    assert "kube-flannel" in api.names("namespaces") and "my-notes" in api.names("secrets"), "a user's object is lost"
    assert api.names("configmaps") == ["kube-root-ca.crt"], "Flannel's own would stay"
    assert "Secret my-notes" in capsys.readouterr().err, "nobody was told why the namespace is still there"


def test_a_namespace_of_which_not_all_can_be_listed_stays(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    flannels_namespace(api)
    api.refused["api-resources"] = "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1"
    namespaces.remove_namespace(api, "kube-flannel", namespaces.is_flannels, wait=False)
    assert "kube-flannel" in api.names("namespaces") and "left as it is" in capsys.readouterr().err


def test_a_secret_that_holds_something_else_is_no_copy(api: Api) -> None:
    labels = {"labels": dict(kept.LABEL)}
    api.put("secrets", "Secret", "odd", "kube-system", metadata=labels, data={"objects.json.gz": "bm8="})
    with pytest.raises(StepError, match="kube-system/odd cannot be read"):
        kept_objects.restore(api)
