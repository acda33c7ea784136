"""The migration as a benchmark: what is noticed from outside, in which order, and what the table says of it."""

from __future__ import annotations

import http.server
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bench import facts, migrations, outside, results
from bench.migrations import BY_HAND
from bench.outside import Answer
from bench.render import section
from bench.results import Migration, ResultsError, Run, Seen

WAYS = (BY_HAND, "recreate", "rolling")


def answered(*ends: float, failed: int = 0) -> list[Answer]:
    good = [Answer(began=end - 0.01, ended=end, good=True) for end in ends]
    return [*good, *[Answer(began=1, ended=4, good=False)] * failed]


def test_the_gap_is_between_two_good_answers_in_whatever_order_they_came() -> None:
    found = outside.seen(answered(5.0, 1.0, 1.5, failed=3))
    assert found == Seen(requests=6, failures=3, longest_gap_seconds=3.5)


def test_without_two_answers_nothing_is_said_to_be_uninterrupted() -> None:
    with pytest.raises(ValueError, match="1 had an answer"):
        outside.seen(answered(1.0, failed=9))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    # The machine's proxy would answer for a server that is gone.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_a_server_that_goes_away_is_noticed(server: http.server.ThreadingHTTPServer) -> None:
    with outside.watched(f"http://127.0.0.1:{server.server_port}/") as answers:
        time.sleep(0.5)  # what is measured is a time: half a second of answers, and then half of none
        server.shutdown()
        server.server_close()
        time.sleep(0.5)
    found = outside.seen(answers)
    assert 0 < found.failures < found.requests, f"a server that went away is not seen: {found}"
    assert found.requests >= 10, "the steady rate is not kept"


def test_a_server_that_has_no_cpu_refuses_nobody(tmp_path: Path) -> None:
    specs = {item["kind"]: item.get("spec", {}) for item in outside.manifest("image")["items"]}
    budget, container = specs["PodDisruptionBudget"], specs["Deployment"]["template"]["spec"]["containers"][0]
    assert budget["minAvailable"] == 1, "a drain would take both at once, which would be taken for the network"
    assert budget["selector"] == specs["Deployment"]["selector"], "it would be another's budget"
    assert container["resources"]["requests"]["cpu"], "it would starve beside an agent's compiler"
    said, command = tmp_path / "said", container["command"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with said.open("wb") as log, subprocess.Popen([*command[:-1], str(port)], stderr=log) as server:
        try:
            deadline = time.monotonic() + 20
            while not answers(port):
                assert server.poll() is None and time.monotonic() < deadline, f"it does not serve: {said.read_text()}"
                time.sleep(0.02)  # between two questions
            server.send_signal(signal.SIGSTOP)
            with ExitStack() as stack:
                for _ in range(60):
                    # One that is dropped is sent again after a second.
                    stack.enter_context(socket.create_connection(("127.0.0.1", port), 0.9))
            server.send_signal(signal.SIGCONT)
            assert answers(port), "it would answer nobody any more"
        finally:
            server.kill()


def answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
        return bool(response.read() == b"here\n")
    return False


def test_each_way_comes_first_equally_often() -> None:
    assert {migrations.order(WAYS, number)[0] for number in range(3)} == set(WAYS)
    assert sorted(migrations.order(WAYS, 7)) == sorted(WAYS), "a way would be left out of a round"


def add(path: Path, number: int, way: str, seconds: float, failures: int = 0) -> None:
    seen = Seen(requests=1000, failures=failures, longest_gap_seconds=failures / 20)
    one = Migration(number=number, way=way, place=0, began="now", seconds=seconds, seen=seen)
    results.append(path, one)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(facts, "tools", lambda: {"kind": "v0.33.0"})
    path = tmp_path / "migration.jsonl"
    assert migrations.begin(path, about()) == 0
    return path


def about(ways: Sequence[str] = WAYS, chart: str = "cilium-1.19.4") -> Run:
    return migrations.about(ways, {"chart": chart})


def test_the_table_has_duration_and_interruption_of_each_way(file: Path) -> None:
    for number, (hand, engine) in enumerate(((50.0, 60.0), (51.0, 62.0), (50.5, 61.0))):
        add(file, number, BY_HAND, hand, failures=200)
        add(file, number, "recreate", engine, failures=300)
    text = section(results.load(file))
    assert "| by hand | 3 | 50 (50 to 51) | - | - | 600 of 3,000 | 10.00 (10.00 to 10.00) |" in text
    assert "| `recreate` | 3 | 61 (60 to 62) | 1.21" in text and "| slower | 900 of 3,000 |" in text
    assert "Indicative" in text, "three rounds would pass for a measurement"


def test_an_interrupted_comparison_goes_on_with_the_next_round(file: Path) -> None:
    add(file, 0, BY_HAND, 50)
    file.write_text(file.read_text() + '{"kind": "migra')
    assert migrations.begin(file, about()) == 1, "a round would be measured again, or skipped"


def test_one_round_has_no_interval(file: Path) -> None:
    add(file, 0, BY_HAND, 50)
    add(file, 0, "recreate", 60)
    assert "1.20 (one pair)" in section(results.load(file))


def test_rounds_of_another_network_or_of_other_ways_are_not_gone_on_with(file: Path) -> None:
    add(file, 0, BY_HAND, 50)
    for other in (about(chart="cilium-1.18.0"), about(ways=(BY_HAND, "rolling"))):
        with pytest.raises(ResultsError, match="would not be comparable"):
            migrations.begin(file, other)


def test_many_rounds_are_no_longer_indicative_however_the_file_was_begun(file: Path) -> None:
    for number in range(migrations.ENOUGH):
        add(file, number, BY_HAND, 50 + number)
    assert "Indicative" not in section(results.load(file))
