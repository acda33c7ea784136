"""Pings from every probe Pod to every other, captured on the node that each of them reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steps.complete import Failed, attempt
from steps.doors import probe
from steps.doors.kubectl import Kubectl
from steps.doors.probe import Probe
from steps.findings.wire import Pair, pair_of
from steps.running import StepError, say
from steps.side_by_side import each

# Seconds for which a capture listens, and one more for each node.
_LISTENS = 30


@dataclass(frozen=True, kw_only=True)
class Pings:
    """`answered` holds the replies of each pair of nodes, from and to; `failed` says why a pair is in neither."""

    pairs: Sequence[Pair]
    answered: Mapping[tuple[str, str], int]
    failed: Sequence[str]


def pings(kubectl: Kubectl, pods: Mapping[str, Probe], hosts: Mapping[str, Probe], count: int) -> Pings:
    """`count` of each Pod to each other one; `pods` and `hosts` are the probes of each network by their node. A capture
    runs on by itself on its node: no process waits here for each of fifty."""
    listens = _LISTENS + len(pods)  # a capture waits for the last one to be ready
    expected = str(count * (len(pods) - 1))
    heard = sorted(pods.keys() & hosts.keys())

    def start(name: str) -> str:
        env = {"TARGET": pods[name].address, "COUNT": expected, "SECONDS_MAX": str(listens)}
        return _started(name, probe.ask(kubectl, hosts[name], "capture", env=env, timeout=listens + 30))

    def collect(name: str, folder: str) -> str:
        env = {"FOLDER": folder, "SECONDS_MAX": str(listens + 10)}
        return probe.ask(kubectl, hosts[name], "captured", env=env, timeout=listens + 40)

    folders = each({name: attempt(lambda name=name: start(name)) for name in heard}, "captures")
    sent = each({name: attempt(lambda name=name: _send(kubectl, name, pods, count)) for name in pods}, "the pings")
    texts = each(
        {
            name: attempt(lambda name=name, it=it: collect(name, it))
            for name, it in folders.items()
            if not isinstance(it, Failed)
        },
        "captures",
    )
    return gathered(pods, sent, {**folders, **texts})


def gathered(
    pods: Mapping[str, Probe],
    sent: Mapping[str, Mapping[str, int] | Failed],
    texts: Mapping[str, str | Failed],
) -> Pings:
    """What was sent and what was captured, by the node that did, as pairs."""
    pairs: list[Pair] = []
    answered: dict[tuple[str, str], int] = {}
    failed: list[str] = []
    for to_node, text in texts.items():
        if isinstance(text, Failed):
            failed.append(f"{to_node}: the capture gave no answer: {text.why}")
            continue
        others = [node for node in pods if node != to_node]
        pairs += [pair_of(text, from_node=node, to_node=to_node, source=pods[node].address) for node in others]
    for from_node, replies in sent.items():
        if isinstance(replies, Failed):
            failed.append(f"{from_node}: the probe gave no answer: {replies.why}")
            continue
        for to_node, pod in pods.items():
            if pod.address in replies:
                answered[from_node, to_node] = replies[pod.address]
    return Pings(pairs=pairs, answered=answered, failed=failed)


def parse_sent(answer: str, targets: Sequence[str], count: int) -> dict[str, int]:
    """Reads what send.sh prints, TARGET SENT RECEIVED: the replies by target. Raises StepError where a line is of
    another shape, or one is missing."""
    replies: dict[str, int] = {}
    for line in answer.splitlines():
        words = line.split()
        if len(words) != 3 or words[0] not in targets or words[0] in replies or not words[2].isdecimal():
            raise StepError(f"it says {line[:200]!r}, which is no count of pings")
        if words[1] != str(count):
            raise StepError(f"it sent {words[1]} pings to {words[0]}, not {count}")
        replies[words[0]] = int(words[2])
    missing = [target for target in targets if target not in replies]
    if missing:
        raise StepError(f"it says nothing of its pings to {', '.join(missing)}")
    return replies


def _send(kubectl: Kubectl, name: str, pods: Mapping[str, Probe], count: int) -> dict[str, int]:
    targets = [pod.address for node, pod in pods.items() if node != name]
    answer = probe.ask(kubectl, pods[name], "send", *targets, env={"COUNT": str(count)}, timeout=60)
    return parse_sent(answer, targets, count)


def _started(node: str, answer: str) -> str:
    """The folder of a capture that listens, from what capture.sh prints: DEVICE FOLDER."""
    words = answer.split()
    if len(words) != 2:
        raise StepError(f"it says {answer[:200]!r}, which is no device and folder")
    say(f"verify: {node} captures on {words[0]}")
    return words[1]
