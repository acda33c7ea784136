"""A value that the user has marked as secret is nowhere in what the engine is told, but inside a secret."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime.mocks import MockMonitor

import settings as stack_settings
from settings.strategy import RECREATE, ROLLING, Strategy
from unit.test_components import Recorder, build, to_its_end

CANARY = "canary-4711"
# How a secret is marked in a request (pulumi.runtime.rpc).
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Every resource's inputs as they are sent to the engine."""
    sent: dict[str, dict[str, Any]] = {}
    pulumi.runtime.set_mocks(Recorder(), project="cni-migration", stack="test", preview=False)
    # By its name: it has no types.
    register = vars(MockMonitor)["RegisterResource"]

    def remember(monitor: MockMonitor, request: Any) -> Any:
        sent[request.name] = json_format.MessageToDict(request.object)
        return register(monitor, request)

    monkeypatch.setattr(MockMonitor, "RegisterResource", remember)
    return sent


def load(monkeypatch: pytest.MonkeyPatch, *, secret: bool) -> stack_settings.Settings:
    values = {"podAnnotations": {"field-token": CANARY}}
    config = {"cni-migration:cni": "cilium", "cni-migration:cilium": json.dumps({"values": values})}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(config))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["cni-migration:cilium"] if secret else []))
    monkeypatch.delenv("CNI_MIGRATION_SITE", raising=False)
    return stack_settings.load()


def run(settings: stack_settings.Settings, strategy: Strategy) -> None:
    to_its_end(lambda: build(settings, strategy, due=True, previous=None))


def in_clear(value: Any, path: str = "") -> list[str]:
    """Where the canary is outside of a secret."""
    match value:
        case {**entries}:
            if entries.get(SIGNATURE) == SECRET:
                return []
            return [found for key, each in entries.items() for found in in_clear(each, f"{path}.{key}")]
        case [*items]:
            return [found for each in items for found in in_clear(each, f"{path}[]")]
        case _:
            return [path] if CANARY in str(value) else []


@pytest.mark.parametrize("strategy", [RECREATE, ROLLING], ids=lambda each: each.name)
def test_a_secret_value_is_sent_to_the_engine_as_a_secret_only(
    requests: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, strategy: Strategy
) -> None:
    run(load(monkeypatch, secret=True), strategy)
    assert in_clear(requests) == [], "it would be in the state in clear, and in every diff"
    assert CANARY in json.dumps(requests["cilium-release"]), "the value would not reach the release at all"
    assert requests["migration-preflight"]["stdin"][SIGNATURE] == SECRET, "the values would be in the state in clear"
    assert CANARY not in json.dumps(requests["migration-preflight"]["environment"])
    digest = requests["verification-measure"]["triggers"][-1]
    assert digest[SIGNATURE] == SECRET, "a short hash of a weak secret can be guessed"


def test_what_is_no_secret_stays_readable_in_a_diff(
    requests: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(load(monkeypatch, secret=False), RECREATE)
    assert sorted(in_clear(requests)) == [
        ".cilium-release.values.podAnnotations.field-token",
        ".migration-preflight.stdin",
    ], "a preview would show [secret] for every value of everybody"
