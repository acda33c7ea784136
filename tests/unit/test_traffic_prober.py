"""The real prober and its server on this machine: what they write, and what they leave unsaid when they end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise
from pathlib import Path
from statistics import median

import pytest

PROGRAM = Path(__file__).parents[2] / "steps" / "on_probe" / "traffic.py"
NOBODY = 1  # a port where nothing listens
# Each of pytest's workers has its own, below those that the kernel gives to others: between the choice and the server's
# start one could be taken.
PORTS = count(20_000 + 200 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def free_port() -> int:
    while True:
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", next(PORTS)))
            return sock.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], object], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Traffic:
    """Starts programs that record in one folder, and reads what they wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.started: list[subprocess.Popen[bytes]] = []
        folder.mkdir()

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        variables = {
            "POD_NAME": name,
            "FOLDER": str(self.folder),
            "HERTZ": "20",
            "PORT": str(self.port),
            "LAMEDUCK": "0.5",
            "TRAFFIC_SERVICE_HOST": "127.0.0.1",
            "TRAFFIC_SERVICE_PORT": str(self.port),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(NOBODY),
            "RESOLV_CONF": "/nonexistent",
            "CREDENTIALS": "/nonexistent",
            **environment,
        }
        log = (self.folder.parent / f"{name}.stderr").open("wb")
        with log:
            program = subprocess.Popen(
                [sys.executable, str(PROGRAM), *arguments], env=os.environ | variables, stderr=log
            )
        self.started.append(program)
        return program

    def record(self, epoch: str = "g-7") -> None:
        (self.folder / "run.new").write_text(epoch)
        (self.folder / "run.new").replace(self.folder / "run")

    def stop(self) -> None:
        (self.folder / "run").unlink()

    def record_of(self, name: str, epoch: str = "g-7") -> list[list[str]]:
        log = self.folder / epoch / f"{name}.log"
        whole, _, _ = log.read_text().rpartition("\n") if log.exists() else ("", "", "")  # the last may be on its way
        fields = [line.split() for line in whole.splitlines()]
        assert all(len(line) == 6 and line[1] == name for line in fields), fields
        return fields

    def lines(self, name: str, kind: str, outcome: str, epoch: str = "g-7") -> list[list[str]]:
        fields = self.record_of(name, epoch)
        return [line for line in fields if line[2] == kind and line[4].split(":")[0] == outcome]

    def await_lines(self, name: str, kind: str, outcome: str, epoch: str = "g-7", count: int = 3) -> None:
        what = f"{name} has no {count} lines {kind} {outcome}"
        until(lambda: len(self.lines(name, kind, outcome, epoch)) >= count, what)


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[Traffic]:
    traffic = Traffic(tmp_path / "traffic")
    yield traffic
    for program in traffic.started:
        program.kill()
        program.wait()


def test_nothing_is_asked_or_written_before_a_recording(traffic: Traffic) -> None:
    with socket.create_server(("127.0.0.1", traffic.port)) as service:
        traffic.start("p")
        service.settimeout(1)
        with pytest.raises(TimeoutError):
            service.accept()
    assert list(traffic.folder.iterdir()) == [], "a cluster would pay for a measurement that nobody makes"


def test_dns_and_an_api_that_are_absent_fail_alone(traffic: Traffic) -> None:
    traffic.start("s", "serve")
    traffic.record()
    for kind, outcome in (("service", "ok"), ("held", "ok"), ("dns", "failed"), ("api", "failed")):
        traffic.await_lines("s", kind, outcome)
    assert not traffic.lines("s", "service", "failed"), "one outage would be counted as another"
    assert not traffic.lines("s", "pod", "failed"), "Pods that nobody has named cannot fail"
    start, _, _, target, _, duration = traffic.lines("s", "service", "ok")[0]
    assert abs(int(start) / 1000 - time.time()) < 10 and target == "service" and int(duration) < 1000


def test_a_recording_ends_with_its_file_and_the_next_has_a_folder_of_its_own(traffic: Traffic) -> None:
    traffic.start("s", "serve")
    traffic.record("g-7")
    traffic.await_lines("s", "held", "ok", "g-7")
    traffic.record("g-8")
    traffic.await_lines("s", "service", "ok", "g-8")
    traffic.await_lines("s", "held", "ok", "g-8")
    traffic.stop()
    log = traffic.folder / "g-8" / "s.log"

    def still() -> bool:
        size = log.stat().st_size
        time.sleep(0.2)
        return log.stat().st_size == size

    until(still, "the prober goes on without a recording")
    assert not traffic.lines("s", "held", "broken", "g-7") + traffic.lines("s", "held", "broken", "g-8")


def test_a_recording_that_nobody_ended_is_given_up_after_six_hours(traffic: Traffic) -> None:
    traffic.record()
    old = time.time() - 6 * 3600 - 1
    os.utime(traffic.folder / "run", (old, old))
    traffic.start("s", "serve")
    until(lambda: listens(traffic.port), "the server does not start")
    time.sleep(0.6)  # longer than between two looks
    assert not (traffic.folder / "g-7").exists(), "an up that failed would leave the load on for ever"


def test_a_server_that_dies_is_failures_and_one_broken_connection(traffic: Traffic) -> None:
    server = traffic.start("s", "serve")
    traffic.start("p")
    traffic.record()
    traffic.await_lines("p", "service", "ok")
    traffic.await_lines("p", "held", "ok")
    server.kill()
    traffic.await_lines("p", "service", "failed", count=10)
    assert len(traffic.lines("p", "held", "broken")) == 1, "a cut connection would be missed, or counted at each try"


def test_a_prober_asks_on_while_an_answer_is_missing_and_gives_each_request_three_seconds(traffic: Traffic) -> None:
    with socket.create_server(("127.0.0.1", traffic.port), backlog=128) as silent:  # connects, and says nothing
        traffic.start("p")
        traffic.record()
        silent.settimeout(5)
        taken = [silent.accept()]
        since = time.monotonic()
        taken += [silent.accept() for _ in range(20)]
        # One that waits would take 3 s for each.
        assert time.monotonic() - since < 20, "a prober that waits would ask least just when the network is down"
        traffic.await_lines("p", "service", "failed", count=10)
        for sock, _ in taken:
            sock.close()
    waited = [int(line[5]) for line in traffic.lines("p", "service", "failed")[:10]]
    assert {line[4] for line in traffic.lines("p", "service", "failed")[:10]} == {"failed:Unanswered"}
    # A busy machine makes some of them longer, and none shorter.
    assert 2990 <= min(waited) < 3500, f"the time-out is not what the docs say: {waited}"


def test_a_connection_that_does_not_come_about_is_told_from_one_without_an_answer(traffic: Traffic) -> None:
    where = ("127.0.0.1", traffic.port)
    with socket.create_server(where, backlog=0), socket.create_connection(where):  # its queue is full
        traffic.start("p")
        traffic.record()
        traffic.await_lines("p", "service", "failed")
    said = {line[4] for line in traffic.lines("p", "service", "failed")[:3]}
    assert said == {"failed:TimeoutError"}, "a lost packet could not be told from a server without CPU"


def test_a_server_that_is_told_to_end_says_bye_and_serves_on_for_a_moment(traffic: Traffic) -> None:
    server = traffic.start("s", "serve", LAMEDUCK="5")  # seconds, for what is asked below
    traffic.start("p")
    traffic.record()
    traffic.await_lines("p", "held", "ok")
    traffic.await_lines("s", "service", "ok")
    server.send_signal(signal.SIGTERM)
    until(lambda: traffic.lines("p", "held", "closed"), "a drained Pod would count as a broken connection")
    own = (traffic.folder / "g-7" / "s.log").read_text()
    with socket.create_connection(("127.0.0.1", traffic.port), 1) as late:
        assert late.makefile().readline() == "s\n", "connections that are still sent here would fail"
    assert server.wait(15) == 0
    assert not traffic.lines("p", "held", "broken"), "a drained Pod would count as a broken connection"
    assert (traffic.folder / "g-7" / "s.log").read_text() == own, "a prober's own end would count as failures"
    assert own.endswith(" s end - - 0\n"), "a drained prober would be taken for one that crashed"


def test_a_prober_that_is_told_to_end_ends_at_once(traffic: Traffic) -> None:
    server = traffic.start("s", "serve")
    prober = traffic.start("p", LAMEDUCK="60")
    traffic.record()
    traffic.await_lines("p", "held", "ok")
    prober.send_signal(signal.SIGTERM)
    assert prober.wait(2) == 0, "each migration would wait for the probers' grace period"
    assert server.poll() is None


def last_line(traffic: Traffic, name: str) -> str:
    return (traffic.folder / "g-7" / f"{name}.log").read_text().splitlines()[-1].partition(" ")[2]


def test_a_prober_says_at_least_once_a_second_that_it_is_there(traffic: Traffic) -> None:
    traffic.start("p")
    traffic.record()
    traffic.await_lines("p", "beat", "-", count=4)
    begin, times = traffic.lines("p", "begin", "-"), [int(line[0]) for line in traffic.lines("p", "beat", "-")]
    assert [line[5] for line in begin] == ["50"], "nobody could tell starvation from the prober's own pace"
    # The median: one that comes late is the machine's, which is busy.
    assert median(after - before for before, after in pairwise(times)) < 1000, "its silence would pass for calm"


def test_a_prober_asks_itself_at_the_rate_of_the_others_whatever_the_network_does(traffic: Traffic) -> None:
    traffic.start("p")
    traffic.record()
    traffic.await_lines("p", "service", "failed", count=20)
    # Read once: between two looks the prober goes on.
    said = [(line[2], line[4].split(":")[0]) for line in traffic.record_of("p")]
    control, service = said.count(("control", "ok")), said.count(("service", "failed"))
    assert ("control", "failed") not in said
    assert abs(control - service) < 5, "an outage would be taken for starvation, or the other way round"


def test_a_prober_says_that_it_is_done_once_nothing_is_under_way_any_more(traffic: Traffic) -> None:
    with socket.create_server(("127.0.0.1", traffic.port), backlog=128) as silent:
        traffic.start("p")
        traffic.record()
        silent.settimeout(5)
        silent.accept()[0].close()
        time.sleep(0.3)
        ended = time.time() * 1000
        traffic.stop()
        until(lambda: last_line(traffic, "p") == "p done - - 0", "the report would wait in vain", 8)
    late = [line for line in traffic.lines("p", "service", "failed") if int(line[0]) > ended + 1000]
    assert late, "failures that are certain only after the end would be lost"
    assert len(traffic.lines("p", "done", "-")) == 1


def test_a_disk_that_is_full_ends_the_record_for_all_to_see_and_not_the_prober(
    traffic: Traffic, tmp_path: Path
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this machine has no /dev/full")
    (traffic.folder / "g-7").mkdir()
    (traffic.folder / "g-7" / "s.log").symlink_to(full)
    server = traffic.start("s", "serve")
    traffic.record()
    until(lambda: "No space left" in (tmp_path / "s.stderr").read_text(), "the prober does not say why it is silent")
    with socket.create_connection(("127.0.0.1", traffic.port), 1) as other:
        assert other.makefile().readline() == "s\n", "a full disk would be failures of the network"
    assert server.poll() is None


@pytest.mark.parametrize("name", ["../7", "a/b-7", "g-7/..", ".", "7\n8-1"])
def test_what_is_no_name_of_a_recording_starts_none(traffic: Traffic, name: str) -> None:
    traffic.start("s", "serve")
    traffic.record(name)
    until(lambda: listens(traffic.port), "the server does not start")
    time.sleep(0.7)  # longer than between two looks
    assert [path.name for path in traffic.folder.parent.rglob("*.log")] == [], "a Pod would say where others write"


class FakeApi(BaseHTTPRequestHandler):
    """/livez, and an EndpointSlice with one ready Pod and one that is not."""

    protocol_version = "HTTP/1.1"
    asked: set[str]
    peers: set[tuple[str, int]]  # that have asked over a connection that stays open
    silent: bool
    left: bool
    ends: bool
    hung: bool
    slow: float

    def do_GET(self) -> None:
        time.sleep(FakeApi.slow)
        if FakeApi.hung:
            while FakeApi.hung:
                time.sleep(0.05)
            self.close_connection = True  # whoever asked has gone
            return
        if not self.close_connection:
            FakeApi.peers.add(self.client_address)
        if FakeApi.silent:
            self.send_error(503)
            return
        FakeApi.asked.add(f"{self.headers['Authorization']} {self.path}")
        here = {
            "addresses": ["127.0.0.1"],
            "conditions": {"ready": True},
            "nodeName": "n",
            "targetRef": {"name": "s"},
        }
        gone = {"addresses": ["127.0.0.1"], "conditions": {"ready": False}, "targetRef": {"name": "gone"}}
        there = [gone] if FakeApi.left else [here, gone]
        slices = {"items": [{"endpoints": there}, {"endpoints": None}]}
        body = b"ok" if self.path.startswith("/livez") else json.dumps(slices).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if FakeApi.ends:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def api(tmp_path: Path) -> Iterator[int]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("a certificate for the API's stand-in is made with openssl, which is missing")
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api"
    files = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key", "-out", "ca.crt")
    subprocess.run([openssl, *new.split(), *files], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "token").write_text("secret\n")
    FakeApi.asked, FakeApi.peers = set(), set()
    FakeApi.silent, FakeApi.left, FakeApi.ends, FakeApi.hung, FakeApi.slow = False, False, False, False, 0.0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key")
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeApi) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_api_is_asked_over_tls_and_names_the_pods_that_are_ready(
    traffic: Traffic, api: int, tmp_path: Path
) -> None:
    traffic.start("s", "serve", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path))
    traffic.record()
    traffic.await_lines("s", "api", "ok")
    traffic.await_lines("s", "pod", "ok")
    assert {line[3] for line in traffic.lines("s", "pod", "ok")} == {"s"}
    assert not traffic.lines("s", "pod", "failed"), "a Pod that has ended would count as a failure of the network"
    assert not traffic.lines("s", "api", "failed")
    assert "Bearer secret /livez" in FakeApi.asked, "an API that asks who it is would refuse"
    slices = "/apis/discovery.k8s.io/v1/namespaces/cni-migration/endpointslices"
    assert f"Bearer secret {slices}?labelSelector=kubernetes.io/service-name=traffic" in FakeApi.asked


@pytest.mark.parametrize(("node", "where"), [("n", "same-node"), ("m", "other-node")])
def test_a_connection_of_each_class_is_held_to_a_pod_where_its_name_says(
    traffic: Traffic, api: int, tmp_path: Path, node: str, where: str
) -> None:
    told = {"KUBERNETES_SERVICE_PORT": str(api), "CREDENTIALS": str(tmp_path), "NODE_NAME": node}
    traffic.start("s", "serve", **told)
    traffic.start("p", **told)
    traffic.record()
    for prober, origin in (("s", "pod"), ("p", "host")):
        targets = {"service", f"{origin}-to-pod-{where}", f"{origin}-to-service-{where}", f"{origin}-to-api"}

        def held(prober: str = prober) -> set[str]:
            return {line[3] for line in traffic.lines(prober, "held", "ok")}

        until(lambda held=held, targets=targets: held() >= targets, f"nobody would see what {targets} lose")
        assert held() == targets, "the Pod is on one node, and cannot be on the other as well"


def test_a_connection_to_the_api_is_held_until_it_says_that_it_ends(traffic: Traffic, api: int, tmp_path: Path) -> None:
    def held(outcome: str) -> list[list[str]]:
        return [line for line in traffic.lines("p", "held", outcome) if line[3] == "host-to-api"]

    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path))
    traffic.record()
    until(lambda: len(held("ok")) >= 5, "what leads out of the Pod network is not held")
    assert len(FakeApi.peers) == 1, "a new connection for each ping says nothing of one that is held"
    FakeApi.ends = True
    until(lambda: held("closed"), "an API that ends a connection would count as a broken one")
    FakeApi.ends = False
    until(lambda: len(FakeApi.peers) > 1, "it is not held again")
    assert not held("broken"), "the API's own end would be the network's fault"


def test_a_connection_to_an_api_that_is_heard_no_more_is_broken(traffic: Traffic, api: int, tmp_path: Path) -> None:
    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path))
    traffic.record()
    until(lambda: FakeApi.peers, "what leads out of the Pod network is not held")
    FakeApi.hung = True
    try:
        traffic.await_lines("p", "held", "broken", count=1)
    finally:
        FakeApi.hung = False


def test_an_api_that_is_too_slow_is_told_from_one_that_is_not_reached_and_its_own_node_says_so_as_well(
    traffic: Traffic, api: int, tmp_path: Path
) -> None:
    here = {"HOST_IP": "127.0.0.1", "API_PORT": str(api)}
    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path), **here)
    traffic.record()
    traffic.await_lines("p", "api-control", "ok")
    FakeApi.slow = 3.5
    traffic.await_lines("p", "api", "failed")
    said = {line[4] for line in traffic.lines("p", "api", "failed")[:3]}
    assert said == {"failed:Unanswered"}, "a server without CPU could not be told from packets that were lost"

    def late() -> list[list[str]]:
        return [line for line in traffic.lines("p", "api-control", "ok") if int(line[5]) >= 3400]

    until(late, "what no network made would be held against it")
    # It has less to ask than others, or a slow etcd would be taken for an API server without CPU.
    assert any(asked.endswith("/livez?exclude=etcd") for asked in FakeApi.asked)


def test_a_node_without_an_api_server_has_no_control_of_it(traffic: Traffic, api: int, tmp_path: Path) -> None:
    nobody = {"HOST_IP": "127.0.0.1", "API_PORT": str(NOBODY)}
    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path), **nobody)
    traffic.record()
    traffic.await_lines("p", "api", "ok", count=15)
    assert not traffic.lines("p", "api-control", "ok") + traffic.lines("p", "api-control", "failed")


def test_an_api_server_that_cannot_be_asked_has_a_line_that_says_so(traffic: Traffic, api: int, tmp_path: Path) -> None:
    FakeApi.silent = True
    traffic.start("p", CREDENTIALS=str(tmp_path), HOST_IP="127.0.0.1", API_PORT=str(api))
    traffic.record()
    traffic.await_lines("p", "api-control", "failed", count=1)


def test_a_silent_api_makes_no_pod_forgotten_and_its_failures_wait_for_the_next_list(
    traffic: Traffic, api: int, tmp_path: Path
) -> None:
    server = traffic.start("s", "serve")
    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path))
    traffic.record()
    traffic.await_lines("p", "pod", "ok")
    FakeApi.silent = True
    traffic.await_lines("p", "pod", "ok", count=20 * 5)  # beyond the time after which the list is stale
    assert not traffic.lines("p", "pod", "closed"), "a Pod would lose its gap while the API is silent"
    server.kill()
    traffic.await_lines("p", "pod", "doubt")
    FakeApi.silent, FakeApi.left = False, True
    traffic.await_lines("p", "pod", "closed", count=1)


def test_a_recording_begins_with_the_pods_of_now_not_with_those_of_the_last(
    traffic: Traffic, api: int, tmp_path: Path
) -> None:
    server = traffic.start("s", "serve")
    traffic.start("p", KUBERNETES_SERVICE_PORT=str(api), CREDENTIALS=str(tmp_path))
    traffic.record("g-7")
    traffic.await_lines("p", "pod", "ok", "g-7")
    traffic.stop()
    log = traffic.folder / "g-7" / "p.log"
    until(lambda: log.read_text().endswith("done - - 0\n"), "the first recording does not end")
    server.kill()
    FakeApi.left = True
    traffic.record("g-8")
    traffic.await_lines("p", "service", "failed", "g-8", count=10)
    old = traffic.lines("p", "pod", "failed", "g-8") + traffic.lines("p", "pod", "doubt", "g-8")
    assert not old, f"a node that was started again in a pause would count as a failure of the next leg: {old}"
