"""When the kit is needed, and who decides it."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from email.message import Message

import pytest

from kit import probe
from kit.errors import KitError


def unasked() -> bool:
    raise AssertionError("the probe was asked although it was overruled")


def everything(command: str) -> str | None:
    return f"/usr/bin/{command}"


def test_never_needs_nothing_and_asks_nobody() -> None:
    assert probe.need({"KIT": "never"}, unasked, lambda _: None) == probe.Need(mode="none", missing=())


def test_always_needs_everything_and_asks_nobody() -> None:
    found = probe.need({"KIT": "always"}, unasked, everything)
    assert found.mode == "all", "the kit could not be tried on a machine with internet"
    assert "pulumi" in found.missing


def test_without_registries_everything_is_needed_although_commands_are_there() -> None:
    assert probe.need({}, lambda: False, everything).mode == "all", "pulumi would be there and its plugins not"


def test_with_registries_only_the_missing_commands_are_needed() -> None:
    found = probe.need({}, lambda: True, lambda command: None if command == "helm" else everything(command))
    assert found == probe.Need(mode="missing", missing=("helm",))


def test_with_registries_and_all_commands_nothing_is_needed() -> None:
    assert probe.need({}, lambda: True, everything).mode == "none", "a machine with everything would build for an hour"


def test_a_misspelt_override_is_an_error() -> None:
    with pytest.raises(KitError, match="always, never or auto"):
        probe.need({"KIT": "yes"}, unasked, everything)


def test_one_silent_registry_is_enough_to_need_the_kit() -> None:
    assert probe.in_reach(lambda _: True)
    assert not probe.in_reach(lambda name: name != "quay.io"), "the images of that registry could not be pulled"


def test_a_registry_that_hangs_costs_no_more_than_the_time_out() -> None:
    forever = threading.Event()
    began = time.monotonic()
    assert not probe.in_reach(lambda _: forever.wait(30), seconds=0.2)
    assert time.monotonic() - began < 2, "every make would hang where packets are dropped"


@pytest.mark.parametrize(("answer", "expected"), [(200, True), (401, True), (403, False), (502, False)])
def test_a_login_request_is_an_answer_and_a_proxy_s_refusal_is_not(
    monkeypatch: pytest.MonkeyPatch, answer: int, expected: bool
) -> None:
    class Response:
        status = answer

        def __enter__(self) -> Response:
            return self

        def __exit__(self, *_: object) -> None: ...

    def respond(url: str, timeout: float) -> Response:
        assert url == "https://quay.io/v2/"
        if answer != 200:
            raise urllib.error.HTTPError(url, answer, "", Message(), None)
        return Response()

    monkeypatch.setattr(urllib.request, "urlopen", respond)
    assert probe.answers("quay.io") is expected


def test_a_name_that_does_not_resolve_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert not probe.answers("quay.io")
