"""Takes along what a report needs and a cluster has only now: `python -m report.collect STACK FOLDER`.

FOLDER gets CNI.pcap, pings between two nodes as they are on the wire, by the name of the CNI that carries them.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from steps.doors import probe
from steps.doors.kubectl import Kubectl, cluster
from steps.doors.process import run
from steps.names import PROBE, PROBE_HOST
from steps.running import StepError, say

_PINGS = 3
# Requests and replies; under a tunnel others may be among them.
_FRAMES = 40
_SECONDS = 20


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with one sentence on stderr."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m report.collect STACK FOLDER\n")
        return 1
    stack, folder = arguments
    try:
        outputs = json.loads(run(["pulumi", "stack", "output", "--stack", stack, "--json"], timeout=60))
        with cluster(outputs["cluster"]) as kubectl:
            target = Path(folder) / f"{outputs['cni']}.pcap"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(capture(kubectl))
    except (StepError, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"collect: {error}\n")
        return 1
    print(target)
    return 0


def capture(kubectl: Kubectl) -> bytes:
    """A pcap file of pings from a Pod on one node to a Pod on another, as they reach that one. Raises StepError where
    there are no two such nodes, or the pings have no answer."""
    pods, hosts = probe.find(kubectl, PROBE), probe.find(kubectl, PROBE_HOST)
    nodes = sorted(pods.keys() & hosts.keys())
    if len(nodes) < 2:
        raise StepError(f"a capture needs probes on two nodes, and they run on {', '.join(nodes) or 'none'}")
    source, target = pods[nodes[0]], pods[nodes[1]]
    there = hosts[nodes[1]]
    env = {"TARGET": target.address, "COUNT": str(_FRAMES), "SECONDS_MAX": str(_SECONDS)}
    folder = probe.ask(kubectl, there, "pcap", "start", env=env, timeout=30).strip()
    sent = probe.ask(kubectl, source, "send", target.address, env={"COUNT": str(_PINGS)}, timeout=30)
    text = probe.ask(kubectl, there, "pcap", "end", env={"FOLDER": folder}, timeout=30)
    say(f"{source.node} to {target.node}: {sent.strip()} (sent, answered)")
    if sent.split()[1:] != [str(_PINGS)] * 2:
        raise StepError(f"not all pings to {target.address} were answered: {sent.strip()}")
    return base64.b64decode(text, validate=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
