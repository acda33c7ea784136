"""What the tests of the scripts that move running Pods share: a node and its Pods as network namespaces of this machine
that talk meanwhile. Needs root, as a node's scripts do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess
from tempfile import gettempdir

import pytest

from steps.doors.node import whole
from steps.residue import SNATED_MARK

SCRIPTS = Path(__file__).parents[2] / "steps" / "on_node"
NODE, POD, OTHER = (f"cnim-{which}{os.getpid()}" for which in "npo")
REDIRECTS = Path(gettempdir()) / f"{NODE}-redirects"
ECHOES = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while said := self.request.recv(1): self.request.sendall(said)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 4096  # a queue of 5 is full where this starves, and the kernel drops what comes then
with Server(("", 7777), Echo) as server:
    print("up", flush=True)
    server.serve_forever()
"""
# Until stdin ends; each line there it answers when all have answered once more. Whether a new connection's packet was
# lost is the kernel's word: by the clock a busy machine would look the same.
ASKS = """
import select, socket, struct, sys, time
TOTAL_RETRANS = 100  # where it is in tcp_info
held = {each: socket.create_connection((each, 7777), 2) for each in sys.argv[1:]}
line = " "
while line:
    line = sys.stdin.readline() if select.select([sys.stdin], [], [], 0)[0] else " "
    for address, connection in held.items():
        connection.sendall(b"x")
        if connection.recv(1) != b"x": sys.exit(f"the connection to {address} that is held has ended")
        with socket.create_connection((address, 7777), 2) as new:
            told = new.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS + 4)
        if struct.unpack_from("I", told, TOTAL_RETRANS)[0]: sys.exit(f"a packet to {address} was lost")
    if line == "\\n": print("all answer", flush=True)
    time.sleep(0.02)  # the rate of the requests
"""


def sh(text: str) -> CompletedProcess[str]:
    return subprocess.run(["bash", "-euc", text], text=True, capture_output=True, check=False, timeout=30)


def run(
    script: str, *before: str, stdin: str = "", folders: Mapping[str, Path] | None = None, **env: str
) -> CompletedProcess[str]:
    """Runs a script as on_node does, by the command `before`, with other `folders` in place of the node's."""
    text = whole(script)
    for name, folder in (folders or {}).items():
        text = text.replace(name, str(folder))
    command, env = [*before, "bash", "-c", text], {**os.environ, "NODE": "n", "SNATED_MARK": SNATED_MARK, **env}
    env.setdefault("REDIRECTS", str(REDIRECTS))
    return subprocess.run(command, input=stdin, env=env, text=True, capture_output=True, check=False, timeout=30)


def path_with(folder: Path, **tools: str) -> str:
    """A PATH that has these, as the text of bash scripts, before all others."""
    folder.mkdir(exist_ok=True)
    for name, body in tools.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """`pids` are of processes in its Pods."""

    pids: tuple[int, ...]

    def on_node(self, script: str, *, stdin: str = "", **env: str) -> CompletedProcess[str]:
        return run(script, "ip", "netns", "exec", NODE, stdin=stdin, folders=None, **env)

    def look(self, what: str, at: str = NODE) -> str:
        return sh(f"ip -n {at} {what}").stdout

    def file(self, path: str, at: str = NODE) -> str:
        return sh(f"ip netns exec {at} cat {path}").stdout.strip()

    def rows(self, pods: Mapping[str, tuple[str, str, str]]) -> str:
        """What the scripts are told of its Pods, by the address, the device and the device's name to be of each."""
        told = ""
        for pid, (pod, (address, device, name)) in zip(self.pids, pods.items(), strict=True):
            index, mac = self.file(f"/sys/class/net/{device}/ifindex"), self.file("/sys/class/net/eth0/address", pod)
            told += f"{pid} {address} {index} {mac} {name}\n"
        return told


@contextmanager
def standing(made: str, pods: Sequence[str]) -> Generator[Place]:
    """The namespaces NODE and `pods`, and in them what the ip commands make. Skips where none can be made."""
    every = (NODE, *pods)
    with ExitStack() as stack:
        stack.callback(sh, f"rm -f {REDIRECTS}.*")
        stack.callback(sh, "; ".join(f"ip netns del {name} || true" for name in every))
        done = sh("\n".join(f"ip netns add {name}; ip -n {name} link set lo up" for name in every) + made)
        if done.returncode != 0 and "permitted" in done.stderr + done.stdout:
            pytest.skip(f"no network namespaces here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        pauses = [stack.enter_context(_process(name, "sleep", "120")) for name in pods]
        deadline = time.monotonic() + 10
        for name, pause in zip(pods, pauses, strict=True):
            while not Path(f"/proc/{pause.pid}/ns/net").samefile(f"/var/run/netns/{name}"):
                assert time.monotonic() < deadline, f"no process came up in {name}"
        yield Place(pids=tuple(pause.pid for pause in pauses))


@contextmanager
def talking(servers: Mapping[str, str], asker: str = POD) -> Generator[Callable[[str], None]]:
    """Meanwhile `asker` makes connections to each of the servers (an address by its namespace) and holds one to each.
    Gives what asserts, behind a step, that none has failed and all answer."""
    with ExitStack() as stack:
        for name in servers:
            server = stack.enter_context(_process(name, sys.executable, "-c", ECHOES))
            assert server.stdout is not None and server.stdout.readline() == "up\n", f"no server came up in {name}"
        asks = stack.enter_context(_process(asker, sys.executable, "-c", ASKS, *servers.values(), stderr=PIPE))
        into, out, errors = asks.stdin, asks.stdout, asks.stderr
        assert into is not None and out is not None and errors is not None

        def all_answer(behind: str) -> None:
            with suppress(BrokenPipeError):
                into.write("\n")
                into.flush()
            said = out.readline()
            assert said == "all answer\n", f"a connection failed behind {behind!r}: {errors.read()}"

        all_answer("the start")
        yield all_answer
        _, failed = asks.communicate(timeout=60)
        assert asks.returncode == 0, f"a connection failed in the end: {failed}"


@contextmanager
def _process(name: str, *command: str, stderr: int = DEVNULL) -> Generator[subprocess.Popen[str]]:
    inside = ["ip", "netns", "exec", name, *command]
    with subprocess.Popen(inside, text=True, stdin=PIPE, stdout=PIPE, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()
