"""The prober's loop: what waits, what is woken, and what ends it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from traffic_loop import NEVER, READ, Loop, Work, every

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_works_wait_side_by_side_and_each_is_woken_by_its_own_socket(pair: Pair) -> None:
    loop, heard = Loop(), list[bytes]()
    here, there = pair

    def listen() -> Work:
        yield here, READ, NEVER
        heard.append(here.recv(9))
        loop.end()

    def speak() -> Work:
        yield None, 0, time.monotonic() + 0.05
        there.send(b"word")

    loop.start(listen())
    loop.start(speak())
    loop.run(until=time.monotonic() + 2)
    assert heard == [b"word"], "a request that waits would hold up all others"


def test_a_wait_that_is_too_long_ends_with_a_timeout_in_its_own_work(pair: Pair) -> None:
    loop, waited = Loop(), list[float]()

    def listen() -> Work:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            yield pair[0], READ, begun + 0.1
        waited.append(time.monotonic() - begun)
        loop.end()

    loop.start(listen())
    loop.run(until=time.monotonic() + 2)
    assert waited and 0.1 <= waited[0] < 0.6, "a lost packet would never become a failure"


def test_a_new_socket_with_the_number_of_the_one_before_is_waited_for() -> None:
    loop, numbers = Loop(), list[int]()

    def ask_twice() -> Work:
        for _ in range(2):
            here, there = socket.socketpair()
            with here, there:
                numbers.append(here.fileno())
                there.send(b"answer")
                yield here, READ, time.monotonic() + 1
                here.recv(9)
        loop.end()

    loop.start(ask_twice())
    loop.run(until=time.monotonic() + 3)
    assert len(numbers) == 2 and numbers[0] == numbers[1], "the second question to DNS would never be heard"


def test_what_comes_too_late_is_left_out_and_not_made_up() -> None:
    loop, calls = Loop(), list[float]()

    def slow_once() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            time.sleep(0.5)
        if len(calls) == 3:
            loop.end()

    loop.start(every(0.1, 0.0, slow_once))
    loop.run(until=time.monotonic() + 10)
    # No upper bounds: a busy machine wakes late, and never early.
    passed = [call - calls[0] for call in calls[1:]]
    assert passed[0] >= 0.6 and passed[1] >= 0.7, "a prober that starved would ask all at once what it has missed"


def test_what_is_not_going_any_more_ends_without_another_call() -> None:
    loop, calls = Loop(), list[float]()
    loop.start(every(0.02, 0.0, lambda: calls.append(time.monotonic()), lambda: len(calls) < 3))
    loop.run(until=time.monotonic() + 0.5)
    assert len(calls) == 3, "a prober would ask on, and wake up for it, after the recording's end"


def test_an_error_that_is_no_failure_of_the_network_ends_the_loop() -> None:
    loop = Loop()

    def broken() -> Work:
        yield None, 0, time.monotonic()
        raise ValueError("a fault of the program")

    loop.start(broken())
    with pytest.raises(ValueError, match="a fault of the program"):
        loop.run(until=time.monotonic() + 1)


def test_an_answer_that_came_while_nobody_ran_is_no_timeout(pair: Pair) -> None:
    loop, heard = Loop(), list[bytes]()
    here, there = pair

    def listen() -> Work:
        yield here, READ, time.monotonic() - 1  # the deadline passed in a stall
        heard.append(here.recv(9))
        loop.end()

    loop.start(listen())
    there.send(b"word")
    loop.run(until=time.monotonic() + 2)
    assert heard == [b"word"], "a prober's own stall would be counted as a failure of the network"
