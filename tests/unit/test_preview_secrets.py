"""No secret comes into a summary: not by a value, not by an error, not by the mark that Pulumi puts on one."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipeline.redaction import Redactor
from pipeline.values import SECRET, SECRET_SIGNATURE, SIGNATURE, differences, leaves, secretive
from unit.test_preview import OWNED, recorded, summary

PLANTED = "hunter2-planted"


def stream(inputs: dict[str, Any], said: str) -> list[str]:
    """A real stream with inputs of a release laid into it, and an error at its end."""
    lines = recorded("other-rolling")
    event = json.loads(next(line for line in lines if "::cilium-agent" in line))
    step = event["resourcePreEvent"]["metadata"]
    step["op"], step["old"] = "update", {**step["new"], "inputs": {}}
    step["new"]["inputs"] = inputs
    step["detailedDiff"] = {"values.hubble.tls.password": {"diffKind": "update", "inputDiff": True}}
    error = {"diagnosticEvent": {"severity": "error", "message": said, "urn": ""}}
    return [*lines[:-1], json.dumps(event), json.dumps(error), lines[-1]]


MARKED = {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps({"a": [PLANTED]})}


@pytest.mark.parametrize(
    "inputs",
    [
        {"values": {"hubble": {"tls": {"password": PLANTED}}}},
        {"values": {"hubble": {"tls": MARKED}}},
        {"values": {SIGNATURE: SECRET_SIGNATURE, "value": PLANTED}},
        {"environment": {"STACK": MARKED, "API_TOKEN": PLANTED}},
        {"values": {"tokens": [{"apiKey": PLANTED}]}},
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_a_planted_secret_is_in_no_row_and_in_no_error(inputs: dict[str, Any], whole: bool) -> None:
    said = f"helm said: cannot set {PLANTED} nor {base64.b64encode(PLANTED.encode()).decode()}"
    lines = stream(inputs, said)
    assert any(PLANTED in line for line in lines)
    text = summary(lines, OWNED, whole=whole)
    assert PLANTED not in text and base64.b64encode(PLANTED.encode()).decode() not in text, "everybody reads a comment"
    assert "helm said: cannot set [secret]" in text, "the error itself must be there"
    assert "hubble.tls" in text or "`values`" in text, "that something changes there must be seen"


def test_a_value_whose_key_is_on_no_list_is_not_shown() -> None:
    (changed,) = differences({"values": {"extra": "a"}}, {"values": {"extra": "b"}}, {})
    assert (changed.path, changed.before, changed.after) == ("values.extra", "", ""), (
        "nobody has said that it is harmless"
    )
    (changed,) = differences({"version": "a`b<c>"}, {"version": "1.19.4"}, {})
    assert (changed.before, changed.after) == ("", "1.19.4"), "a value of another shape than its key's is not known"


def test_a_secret_that_is_masked_on_both_sides_is_named_by_the_provider() -> None:
    inputs = {"values": {"a": SECRET}}
    found = differences(inputs, inputs, {"values.a": {"diffKind": "update"}})
    assert [change.path for change in found] == ["values.a"], "its change would not be seen"


def test_a_marked_secret_is_one_value_whatever_is_in_it() -> None:
    assert leaves({"a": MARKED, "b": 1}) == {"a": SECRET, "b": 1}
    assert secretive({"a": MARKED}) == {PLANTED}


@pytest.mark.parametrize(
    "text",
    [
        "get https://user:hunter2@charts.example/x",
        "Authorization: Bearer hunter2hunter2",
        'password="hunter2"',
        "client-key-data: hunter2",
        "--set-string registry.token=hunter2,other=1",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "AWS said hunter2ABCDEFGHijklmnop0123456789xyzABCD/+",
        "key deadbeefdeadbeefdeadbeefdeadbeef1234",
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_an_error(text: str) -> None:
    cleaned = Redactor(()).clean(text)
    assert "hunter2" not in cleaned and "deadbeef" not in cleaned, "a tool's own words would tell it"


def test_what_a_reviewer_needs_is_left() -> None:
    for text in (
        "kindest/node:v1.34.11@sha256:44e2fc1eb08af0d2f0a4cbbb5bb0d6c1f3de2ab5b0cd1d35fe7a9db4b5b0c9a1",
        "daemonset kube-system/cilium is kept by Argo CD",
        "urn:pulumi:cilium::cni-migration::cni-migration:index:Migration$command:local:Command::migration-preflight",
        "migration-cleanup-c-control-plane-with-a-rather-long-name-2",
        "node c-worker has 12 Pods to drain, and the other nodes take 3 more",
    ):
        assert Redactor(("abc",)).clean(text) == text, "the summary would say nothing"


def test_the_longest_secret_goes_first_and_each_line_of_one_too() -> None:
    clean = Redactor(("hunter2", "hunter2-and-more", "line one\nline two")).clean
    assert clean("hunter2-and-more") == SECRET
    assert "line two" not in clean("it said: line two")
