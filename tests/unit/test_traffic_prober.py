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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "steps" / "on_probe" / "traffic.py"
NOBODY = 1  # a port where nothing listens


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], object], what: str, seconds: float = 5) -> None:
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

    def record(self, epoch: str = "7") -> None:
        (self.folder / "run.new").write_text(epoch)
        (self.folder / "run.new").replace(self.folder / "run")

    def stop(self) -> None:
        (self.folder / "run").unlink()

    def lines(self, name: str, kind: str, outcome: str, epoch: str = "7") -> list[list[str]]:
        log = self.folder / epoch / f"{name}.log"
        whole, _, _ = log.read_text().rpartition("\n") if log.exists() else ("", "", "")  # the last may be on its way
        fields = [line.split() for line in whole.splitlines()]
        assert all(len(line) == 6 and line[1] == name for line in fields), fields
        return [line for line in fields if line[2] == kind and line[4].split(":")[0] == outcome]

    def await_lines(self, name: str, kind: str, outcome: str, epoch: str = "7", count: int = 3) -> None:
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
    traffic.record("7")
    traffic.await_lines("s", "held", "ok", "7")
    traffic.record("8")
    traffic.await_lines("s", "service", "ok", "8")
    traffic.await_lines("s", "held", "ok", "8")
    traffic.stop()
    log = traffic.folder / "8" / "s.log"

    def still() -> bool:
        size = log.stat().st_size
        time.sleep(0.2)
        return log.stat().st_size == size

    until(still, "the prober goes on without a recording")
    assert not traffic.lines("s", "held", "broken", "7") + traffic.lines("s", "held", "broken", "8")


def test_a_recording_that_nobody_ended_is_given_up_after_an_hour(traffic: Traffic) -> None:
    traffic.record()
    old = time.time() - 3601
    os.utime(traffic.folder / "run", (old, old))
    traffic.start("s", "serve")
    until(lambda: listens(traffic.port), "the server does not start")
    time.sleep(0.6)  # longer than between two looks
    assert not (traffic.folder / "7").exists(), "an up that failed would leave the load on for ever"


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
        assert time.monotonic() - since < 2, "a prober that waits would ask least just when the network is down"
        traffic.await_lines("p", "service", "failed", count=10)
        for sock, _ in taken:
            sock.close()
    waited = [int(line[5]) for line in traffic.lines("p", "service", "failed")[:10]]
    assert {line[4] for line in traffic.lines("p", "service", "failed")[:10]} == {"failed:TimeoutError"}
    assert all(2990 <= ms < 3500 for ms in waited), f"the time-out is not what the docs say: {waited}"


def test_a_server_that_is_told_to_end_says_bye_and_serves_on_for_a_moment(traffic: Traffic) -> None:
    server = traffic.start("s", "serve")
    traffic.start("p")
    traffic.record()
    traffic.await_lines("p", "held", "ok")
    traffic.await_lines("s", "service", "ok")
    server.send_signal(signal.SIGTERM)
    until(lambda: traffic.lines("p", "held", "closed"), "a drained Pod would count as a broken connection")
    own = (traffic.folder / "7" / "s.log").read_text()
    with socket.create_connection(("127.0.0.1", traffic.port), 1) as late:
        assert late.makefile().readline() == "s\n", "connections that are still sent here would fail"
    assert server.wait(3) == 0
    assert not traffic.lines("p", "held", "broken"), "a drained Pod would count as a broken connection"
    assert (traffic.folder / "7" / "s.log").read_text() == own, "a prober's own end would count as failures"


def test_a_prober_that_is_told_to_end_ends_at_once(traffic: Traffic) -> None:
    server = traffic.start("s", "serve")
    prober = traffic.start("p", LAMEDUCK="60")
    traffic.record()
    traffic.await_lines("p", "held", "ok")
    prober.send_signal(signal.SIGTERM)
    assert prober.wait(2) == 0, "each migration would wait for the probers' grace period"
    assert server.poll() is None


class FakeApi(BaseHTTPRequestHandler):
    """/livez, and an EndpointSlice with one ready Pod and one that is not."""

    asked: set[str]

    def do_GET(self) -> None:
        FakeApi.asked.add(f"{self.headers['Authorization']} {self.path}")
        here = {"addresses": ["127.0.0.1"], "conditions": {"ready": True}, "targetRef": {"name": "s"}}
        gone = {"addresses": ["127.0.0.1"], "conditions": {"ready": False}, "targetRef": {"name": "gone"}}
        slices = {"items": [{"endpoints": [here, gone]}, {"endpoints": None}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok" if self.path == "/livez" else json.dumps(slices).encode())

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
    FakeApi.asked = set()
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
