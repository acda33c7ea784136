"""What the measuring tools say: real answers become figures, and everything else is no sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import answers
from bench.answers import NoSampleError, TooShortError
from bench.workloads import PACE, workloads

SAMPLES = Path(__file__).parent / "bench_answers"


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_iperf3s_receiver_is_the_figure() -> None:
    answer = answers.iperf3(sample("iperf3.json"))
    assert answer.values == {"gbits": pytest.approx(14.849, abs=0.001)}, "what was sent and lost would count"
    assert answer.work == {"gb": pytest.approx(1.862271, abs=1e-6)}
    assert answer.seconds == pytest.approx(1.003315)


def test_sockperfs_percentiles_are_of_whole_round_trips() -> None:
    answer = answers.sockperf(sample("sockperf.txt"))
    assert answer.values == {"p50": 15.382, "p90": 16.855, "p99": 57.475, "p999": 649.333}
    assert answer.work == {"100k": 0.53754}, "the CPU of the warm-up's trips would be charged to the others"


def test_abs_requests_are_connections() -> None:
    answer = answers.ab(sample("ab.txt"))
    assert answer.values == {"connects": 1440.89}
    assert answer.work == {"100k": 0.01441}
    assert answer.seconds == 1.0


def test_the_ranks_figures_keep_their_names() -> None:
    answer = answers.ranks('{"all-reduce-4MiB/bus-gbits": 3.5, "ddp/samples": 900, "seconds": 4.1}')
    assert answer.values == {"all-reduce-4MiB/bus-gbits": 3.5, "ddp/samples": 900.0}
    assert answer.seconds == 4.1


def test_an_idle_cluster_has_a_cost_a_second() -> None:
    assert answers.idle("", seconds=3).work == {"second": 3}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "no JSON"),
        ("iperf3: error - unable to connect", "no JSON"),
        ("[1, 2]", "no object"),
        # As iperf3 3.12 answers, with exit code 0.
        (
            '{"start": {}, "intervals": [], "end": {}, "error": "unable to connect to server: Connection refused"}',
            "refused",
        ),
        ('{"end": {}}', "sum_received"),
        ('{"end": {"sum_received": null}}', "sum_received"),
        ('{"end": {"sum_received": {"bytes": 0, "seconds": 3}}}', "above 0"),
        ('{"end": {"sum_received": {"bytes": 5e9, "seconds": 0}}}', "above 0"),
        ('{"end": {"sum_received": {"bytes": "5e9", "seconds": 3}}}', "above 0"),
        ('{"end": {"sum_received": {"bytes": true, "seconds": 3}}}', "above 0"),
        ('{"end": {"sum_received": {"bytes": NaN, "seconds": 3}}}', "above 0"),
    ],
)
def test_what_iperf3_does_not_say_whole_is_no_sample(text: str, names: str) -> None:
    with pytest.raises(NoSampleError, match=names):
        answers.iperf3(text)


def test_a_file_that_iperf3_was_killed_in_is_no_sample() -> None:
    with pytest.raises(NoSampleError, match="cut off"):
        answers.iperf3(sample("iperf3.json")[:-40])


def test_a_paced_run_that_did_not_keep_its_rate_is_no_sample() -> None:
    paced = next(test for test in workloads(3, training=False) if test.name == "other-node/paced")
    text = json.dumps({"end": {"sum_received": {"bytes": 0.85 * PACE * 3 / 8 * 1e9, "seconds": 3}}})
    with pytest.raises(NoSampleError, match="keep a rate"):
        paced.read(text)
    text = json.dumps({"end": {"sum_received": {"bytes": PACE * 3 / 8 * 1e9, "seconds": 3}}})
    assert paced.read(text).values["gbits"] == pytest.approx(PACE)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("dropped messages = 0", "dropped messages = 3", "lost"),
        ("duplicated messages = 0", "duplicated messages = 1", "lost"),
        ("out-of-order messages = 0", "out-of-order messages = 1", "lost"),
        ("Round trip is", "Latency is", "full-rtt"),
        ("ReceivedMessages=28859", "ReceivedMessages=288", "too few"),
        ("percentile 99.900", "percentile 99.500", "cut off"),
        ("[Valid Duration]", "[Duration]", "cut off"),
        ("=  649.333", "=    0.000", "above 0"),
    ],
)
def test_what_sockperf_did_not_measure_is_no_sample(old: str, new: str, names: str) -> None:
    text = sample("sockperf.txt")
    assert old in text
    with pytest.raises(NoSampleError, match=names):
        answers.sockperf(text.replace(old, new))


def test_a_sockperf_that_could_not_connect_ends_with_0_and_is_no_sample() -> None:
    with pytest.raises(NoSampleError, match="Connection refused"):
        answers.sockperf("sockperf: == version #3.7-no.git == \nsockperf: ERROR: Can`t connect socket (errno=111 "
                         "Connection refused)\n")  # fmt: skip
    with pytest.raises(NoSampleError):
        answers.sockperf("")


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("Failed requests:        0", "Failed requests:        9", "9 of ab's"),
        ("Failed requests:        0", "Failed requests:        0\nNon-2xx responses:      1441", "refused"),
        ("Failed requests:        0", "Failed requests:        0\nKeep-Alive requests:    1441", "alive"),
        ("Complete requests", "Complete", "end"),
        ("Requests per second:    1440.89", "Requests per second:    0.00", "above 0"),
    ],
)
def test_what_ab_did_not_connect_is_no_sample(old: str, new: str, names: str) -> None:
    text = sample("ab.txt")
    assert old in text
    with pytest.raises(NoSampleError, match=names):
        answers.ab(text.replace(old, new))


def test_an_ab_that_was_refused_is_no_sample() -> None:
    with pytest.raises(NoSampleError, match="end"):
        answers.ab("This is ApacheBench\n\napr_socket_recv: Connection refused (111)\n")


@pytest.mark.parametrize("text", ["", "{}", '{"seconds": 3}', '{"ddp/samples": 0, "seconds": 3}', '{"ddp/samples": 9}'])
def test_ranks_that_measured_nothing_are_no_sample(text: str) -> None:
    with pytest.raises(NoSampleError):
        answers.ranks(text)


def test_a_sleep_that_says_something_is_no_idle_cluster() -> None:
    with pytest.raises(NoSampleError):
        answers.idle("sleep: invalid time interval", seconds=3)


def test_a_sockperf_that_made_too_few_round_trips_says_how_many_of_them() -> None:
    with pytest.raises(TooShortError, match="2885 round trips, too few") as caught:
        answers.sockperf(sample("sockperf.txt").replace("ReceivedMessages=28859", "ReceivedMessages=2885"))
    assert caught.value.part == pytest.approx(0.2885), "nobody would know for how much longer to measure"
