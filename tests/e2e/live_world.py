"""The cluster that test_live.py moves, with its Pods, and how to see that they and their flows are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.live_pods import DATAGRAMS, SERVER, STREAMS, WORKER, WORKER2, pod, service, workloads
from e2e.network import STATIC, STATIC_FILE, assert_vxlan, eventually, image_of, verdict
from e2e.real import NAME, Real, beside, run
from e2e.test_rolling import BUDGET, apply

# Seconds for which one of these flows may be without an answer; one that is lost is never answered again.
SILENCE = 10
HOLDERS = ("streams", "datagrams", "datagrams-of-host")
OUTSIDE = f"{NAME}-outside"
STATIC_POD = f"static-{WORKER2}"
# From Pods and from the host network to Pods and to the Service, on the same node and on another; and one to the
# Service wherever it leads; and from both to the API, out of the Pod network.
CLASSES = 11


def put(real: Real, *manifests: dict[str, Any]) -> None:
    apply(real, json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)}))
    real.kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=180s")


def assert_seen_from_outside(real: Real, report: dict[str, Any]) -> dict[str, Any]:
    """What was seen by each node's port, whole, though its `up` was killed; who saw it has gone."""
    seen = report["outside"]
    assert "why" not in seen, f"what clients outside met is not known: {seen}"
    assert sorted(seen["nodes"]) == sorted(real.nodes()), f"a node was not asked: {seen}"
    assert seen["requests"] > 100, f"it was asked for a moment only: {seen}"
    assert beside(NAME) == [], "a container goes on asking"
    return seen


def lives(real: Real) -> dict[str, tuple[object, ...]]:
    """What a Pod keeps where nobody has touched it, of each that is on the Pod network: uid, address, and each
    container's ID, start and restarts. Not of those that are on their way out, nor of Hubble's, which come and go with
    Cilium."""
    items = json.loads(real.kubectl("get", "pods", "--all-namespaces", "--output=json"))["items"]
    return {
        f"{it['metadata']['namespace']}/{it['metadata']['name']}": (
            it["metadata"]["uid"],
            it["status"].get("podIP"),
            *(
                (c.get("containerID"), str(c["state"]), c["restartCount"])
                for c in it["status"].get("containerStatuses", [])
            ),
        )
        for it in items
        if not it["spec"].get("hostNetwork")
        and "deletionTimestamp" not in it["metadata"]
        and not it["metadata"]["name"].startswith("hubble-")
    }


def progress(real: Real, holder: str) -> int:
    """Its last round."""
    words = real.kubectl("logs", holder, "--tail=1").split()
    assert len(words) == 3, f"{holder} has not said anything yet: {words}"
    return int(words[0])


def assert_heard(real: Real, since: dict[str, int]) -> None:
    """No flow of these was silent for long after those rounds."""
    for holder, begun in since.items():
        said = [line.split() for line in real.kubectl("logs", holder).splitlines()]
        behind = [(float(silent), who, int(number)) for number, silent, who in said if int(number) > begun]
        assert behind, f"{holder} has stood still since round {begun}"
        silent, who, number = max(behind)
        assert silent < SILENCE, (
            f"{holder}: no answer from {who} for {silent} s by round {number}, behind round {begun}"
        )


def rounds(real: Real) -> dict[str, int]:
    """Of each that holds flows."""
    return {holder: progress(real, holder) for holder in HOLDERS}


def counted(real: Real) -> int:
    return int(real.kubectl("logs", "job/counts", "--tail=1"))


@pytest.fixture(scope="module")
def outside(real: Real) -> Iterator[str]:
    """The address of a server on the nodes' network that is no part of the cluster."""
    if not has_flannel(real):
        real.stacks["flannel"].set_config("migration:strategy", "recreate")
        real.stacks["flannel"].up()
    real.connect()
    run("docker", "rm", "--force", OUTSIDE)
    run("docker", "run", "--detach", "--name", OUTSIDE, "--network", "kind", image_of(real), "python3", "-c", SERVER)
    where = "{{.NetworkSettings.Networks.kind.IPAddress}}"
    yield run("docker", "inspect", "--format", where, OUTSIDE).strip()
    run("docker", "rm", "--force", OUTSIDE)


def has_flannel(real: Real) -> bool:
    if NAME not in run("kind", "get", "clusters").split():
        return False
    real.connect()
    return real.marker()["stack"] == "flannel"


@pytest.fixture(scope="module")
def emptied(real: Real) -> Iterator[None]:
    """Nothing of these tests is left in the namespace default: a drain would be refused for a Pod without a controller,
    and for a policy."""
    yield
    real.on_node(WORKER2, f"rm -f {STATIC_FILE}")
    kinds = "deployments,statefulsets,jobs,pods,networkpolicies"
    real.kubectl("delete", kinds, "--all", "--grace-period=1", "--wait=true", "--timeout=120s")
    real.kubectl("delete", "services", "here", "there", "--ignore-not-found")


@pytest.fixture(scope="module")
def held(real: Real, outside: str, emptied: None) -> Real:
    """A Flannel cluster with Pods of every kind, one of which holds connections of five kinds, and stacks that name no
    strategy: `live`."""
    for name in ("flannel", "cilium"):
        stack = real.stacks[name]
        stack.run("config", "rm", "--stack", name, "migration:strategy")
        stack.set_config("migration:budget", json.dumps(BUDGET))
        stack.run("config", "rm", "--stack", name, "cni-migration:cilium")
        stack.set_config("cni-migration:cni", name)
    assert_vxlan(verdict(real, "flannel"))
    image = image_of(real)
    real.on_node(WORKER2, f"cat >{STATIC_FILE}", stdin=STATIC % image)
    eventually(lambda: real.kubectl("wait", f"pod/{STATIC_POD}", "--for=condition=Ready", "--timeout=5s"))
    put(
        real,
        *(pod(name, node, image, SERVER) for name, node in (("here", WORKER), ("there", WORKER2), ("goes", WORKER))),
        *workloads(image),
        service("here"),
        service("there"),
    )
    # A debugged Pod could not be made anew as it is.
    real.kubectl("debug", "there", f"--image={image}", "--target=main", "--", "sleep", "9999")
    where = "jsonpath={.items[*].status.podIP}"
    addresses = real.kubectl("get", "pods", "-l", "app in (here, there)", "-o", where).split()
    clusters = real.kubectl("get", "services", "here", "there", "-o", "jsonpath={.items[*].spec.clusterIP}").split()
    hosts = [*addresses, *clusters, outside]
    of_host = pod("datagrams-of-host", WORKER, image, DATAGRAMS, *hosts)
    of_host["spec"]["hostNetwork"] = True
    put(
        real,
        pod("streams", WORKER, image, STREAMS, *hosts),
        pod("datagrams", WORKER, image, DATAGRAMS, *hosts),
        of_host,
    )
    eventually(lambda: gone_on(real, dict.fromkeys(HOLDERS, 0)))
    return real


def gone_on(real: Real, since: dict[str, int], by: int = 1) -> str:
    """Each that holds flows has made as many rounds more."""
    now = rounds(real)
    assert all(now[holder] >= since[holder] + by for holder in HOLDERS), f"held flows stand still: {since}, then {now}"
    return str(now)


def assert_same_lives(real: Real, before: dict[str, tuple[object, ...]]) -> None:
    after = lives(real)
    lost = {name: (life, after.get(name)) for name, life in before.items() if after.get(name) != life}
    assert not lost, f"these were restarted or replaced: {lost}"


def assert_all_the_same(real: Real, before: dict[str, tuple[object, ...]], since: dict[str, int], job: int) -> None:
    assert_same_lives(real, before)
    assert_heard(real, since)
    assert counted(real) > job, "a Job in the middle of its work has lost its count"
