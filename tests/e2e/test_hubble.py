"""Hubble on the real cluster, as its user meets it: the address in the output, flows through the relay, metrics, and
the page on this machine's port in a real browser.

The tests run while the shared cluster has Cilium (conftest.py puts them there), and bring it up where they run alone.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from e2e.network import eventually, image_of
from e2e.real import HUBBLE_PORT, ROOT, Real, with_cilium

pytestmark = pytest.mark.e2e
NAMESPACE = "hubble-e2e"
# Of the port 9090 a policy denies each use; its name is what is looked for.
OBJECTS = """
apiVersion: v1
kind: Namespace
metadata: {name: hubble-e2e}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: hubble-e2e, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: open, image: "IMAGE", imagePullPolicy: IfNotPresent, command: [python3, -m, http.server, "8080"],
     readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}
  - {name: denied, image: "IMAGE", imagePullPolicy: IfNotPresent, command: [python3, -m, http.server, "9090"]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: hubble-e2e}
spec: {selector: {app: web}, ports: [{name: open, port: 8080}, {name: denied, port: 9090}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: hubble-e2e}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: idle, image: "IMAGE", imagePullPolicy: IfNotPresent, command: [sleep, "9999"]}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: no-9090, namespace: hubble-e2e}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEntities: [all]}]
  ingressDeny: [{fromEntities: [all], toPorts: [{ports: [{port: "9090", protocol: TCP}]}]}]
"""


@pytest.fixture(scope="module")
def cilium(real: Real) -> Iterator[Real]:
    """The cluster with Cilium, a client, a server, and a policy between them."""
    with_cilium(real)
    # A Pod is refused until its new namespace has a ServiceAccount.
    eventually(lambda: real.kubectl("apply", "-f", "-", stdin=OBJECTS.replace("IMAGE", image_of(real))))
    real.kubectl("wait", "-n", NAMESPACE, "pod", "--all", "--for=condition=Ready", "--timeout=180s")
    yield real
    real.kubectl("delete", "namespace", NAMESPACE, "--timeout=180s")


def talk(real: Real) -> None:
    """A name is asked for, the open port answers, the denied one does not."""
    # To the denied one last: once the policy stands, it and no loss of the network is what keeps the answer out.
    script = f"""
    curl --silent --fail --max-time 5 --output /dev/null http://web.{NAMESPACE}.svc.cluster.local:8080
    ! curl --silent --max-time 1 --output /dev/null http://web.{NAMESPACE}.svc.cluster.local:9090
    """
    real.kubectl("exec", "-n", NAMESPACE, "client", "--", "bash", "-euc", script)


def flows(real: Real, *filters: str) -> list[dict[str, Any]]:
    """What `make flows ARGS=…` prints of the past."""
    stack = real.stacks["cilium"]
    arguments = ["--follow=false", "--last", "100", "--output", "jsonpb", *filters]
    done = subprocess.run(
        ["bash", str(ROOT / "scripts" / "flows.sh"), *arguments],
        cwd=stack.program,
        env={**stack.environ(), "STACK": "cilium"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [line["flow"] for line in map(json.loads, done.stdout.splitlines()) if "flow" in line]


def test_the_output_names_an_address_where_the_page_answers(cilium: Real) -> None:
    told = cilium.stacks["cilium"].outputs()["hubble"]
    assert told["url"] == f"http://localhost:{HUBBLE_PORT}", f"somebody would need a port-forward: {told}"

    def answer() -> str:
        try:
            with urllib.request.urlopen(told["url"], timeout=5) as response:
                return response.read().decode()
        except OSError as error:
            raise AssertionError(f"{told['url']} does not answer: {error}") from error

    assert "Hubble UI" in eventually(answer), "something else is on Hubble's port"


def test_a_policys_drop_and_a_dns_query_are_seen_through_the_relay(cilium: Real) -> None:
    def seen() -> None:
        talk(cilium)
        found = flows(cilium, "--verdict", "DROPPED", "--to-namespace", NAMESPACE)
        names = [policy["name"] for flow in found for policy in flow.get("ingress_denied_by", [])]
        assert "no-9090" in names, f"{len(found)} drops, and none names the policy"
        # The type trace is the packets: the socket's own event still has the Service's address, which is no Pod.
        asked = flows(cilium, "--from-pod", f"{NAMESPACE}/client", "--to-port", "53", "--type", "trace")
        servers = {flow["destination"].get("namespace") for flow in asked}
        assert servers == {"kube-system"}, f"{len(asked)} flows to port 53, to {servers}: no query is seen"
        assert all(flow["source"]["pod_name"] == "client" for flow in asked), "make flows does not pass its filters on"

    # Each node's events come by way of its own agent: the drop says nothing of the query on another node.
    eventually(seen)


def test_every_nodes_metrics_can_be_scraped_and_count_the_drop(cilium: Real) -> None:
    scraped = {
        node: cilium.kubectl("get", "--raw", f"/api/v1/nodes/{node}:9965/proxy/metrics") for node in cilium.nodes()
    }
    for node, text in scraped.items():
        assert "hubble_flows_processed_total{" in text, f"{node} counts no flows"
    drops = [line for text in scraped.values() for line in text.splitlines() if line.startswith("hubble_drop_total{")]
    assert any('reason="POLICY_DENY"' in line for line in drops), f"an alert on drops would never come: {drops}"


def is_our_own(page: Page) -> bool:
    """Whether it is the kit's page, which stands in for Hubble UI where that cannot be had."""
    return "stand-in" in page.title()


def talked(real: Real, page: Page) -> None:
    """They have talked, and the page has had time to show it: its feed sends twice a second."""
    talk(real)
    page.wait_for_timeout(1500)  # between two looks, not in place of a condition


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page; where it is this project's own, every error and every request is looked at when the test is over."""
    wrong: list[str] = []
    asked: list[str] = []
    # Left open it would ask for flows for ever, beside all later tests.
    with browser.new_page(viewport={"width": 1400, "height": 1000}) as opened:
        opened.on(
            "console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None
        )
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        yield opened
        if not is_our_own(opened):
            return
        assert wrong == [], "the browser's console has errors"
        elsewhere = [url for url in asked if not url.startswith((f"http://localhost:{HUBBLE_PORT}/", "data:", "blob:"))]
        assert asked and elsewhere == [], "a request leaves the page: it would hang on a machine without internet"


def test_the_page_shows_the_traffic_and_the_drop_with_its_policy(cilium: Real, page: Page) -> None:
    page.goto(f"http://localhost:{HUBBLE_PORT}/")
    if not is_our_own(page):
        page.wait_for_selector("text=kube-system")  # the real Hubble UI lists the namespaces
        return
    assert page.get_by_text("A stand-in, not Hubble UI.").is_visible(), "somebody would take it for Hubble UI"
    page.fill("#filters [name=text]", NAMESPACE)
    drop = page.locator("#drops tbody tr", has_text="client").filter(has_text=f"{NAMESPACE}/no-9090")
    open_port = page.locator("#flows tbody tr", has_text="FORWARDED").filter(has_text="8080").filter(has_text="web")

    def shown() -> None:
        talked(cilium, page)
        drops = drop.all_inner_texts()
        assert any("TCP 9090" in row for row in drops), f"the drop is not shown: {drops}, {page.inner_text('body')}"
        assert open_port.count(), "what is let through is not shown"
        assert page.locator("#dns tbody tr", has_text="client").filter(has_text="coredns").count(), "no DNS query"
        boxes = page.locator("#map g.node").evaluate_all("boxes => boxes.map(box => box.dataset.app)")
        assert {"client", "web"} <= set(boxes), f"the map has no such services: {boxes}"
        assert page.locator("#map path.bad title", has_text="web").count(), (
            "the map does not show that something is dropped"
        )

    # Each event comes when its node sends it: one that is there says nothing of the others.
    eventually(shown)


def test_the_pages_filters_leave_what_was_asked_for_and_outlive_a_reload(cilium: Real, page: Page) -> None:
    page.goto(f"http://localhost:{HUBBLE_PORT}/")
    if not is_our_own(page):
        pytest.skip("the real Hubble UI has filters of its own")
    rows = page.locator("#flows tbody tr")
    page.fill("#filters [name=text]", NAMESPACE)
    page.fill("#filters [name=port]", "9090")

    def dropped() -> None:
        talked(cilium, page)
        assert page.locator("#flows tbody tr.dropped").count(), f"the drop is not shown: {page.inner_text('body')}"

    eventually(dropped)
    page.select_option("#filters [name=verdict]", "DROPPED")
    page.reload()
    # Of the time before, a page gets the last events alone: on a busy node the drop that it showed is none of them.
    eventually(dropped)
    shown = rows.all_inner_texts()
    assert shown and all("DROPPED" in row and "9090" in row for row in shown), f"a filter lets others through: {shown}"
    assert page.input_value("#filters [name=port]") == "9090", "a reload forgets the filters"
