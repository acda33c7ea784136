"""What a prober asks: each function is the work of one request, over a new connection, and raises OSError where it
fails."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from traffic_loop import READ, Wait, Work

# Seconds, of a whole request: one lost SYN is slow (it is sent again after 1 s), two are a failure.
TIMEOUT = 3.0
PATIENCE = 0.5  # seconds, of a question to DNS before it is asked again; a resolver's own is 1 to 5
# With this, a close is a reset, and neither side keeps the port or the conntrack entry for minutes: at 20 requests a
# second and kind the remains of the measurement would become its load.
_NO_LINGER = struct.pack("ii", 1, 0)
_DOMAIN = "cluster.local"  # kubeadm's, where nothing else is said

Address = tuple[str, int]


class Unanswered(TimeoutError):
    """The connection came about, and nothing more: what the network lost it lost later, or the server was slow."""


@contextmanager
def connected() -> Generator[None]:
    """What times out within has its connection."""
    try:
        yield
    except TimeoutError as error:
        raise Unanswered(str(error)) from None


def connect(address: Address) -> socket.socket:
    """A TCP socket that does not block and is on its way to `address`, which is in numbers."""
    sock = socket.socket(_family(address[0]), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        sock.connect(address)
    except BlockingIOError:
        pass  # what comes of it, the first wait tells
    except OSError:
        sock.close()
        raise
    return sock


def receive(sock: socket.socket, size: int, deadline: float) -> Generator[Wait, None, bytes]:
    """What comes next. A socket may be woken for nothing: an ICMP message that says "not now" does that."""
    while True:
        yield sock, READ, deadline
        with suppress(BlockingIOError):
            return sock.recv(size)


def greet(address: Address) -> Work:
    """Connects and reads the line with the server's name."""
    deadline = time.monotonic() + TIMEOUT
    with connect(address) as sock:
        try:
            greeting = yield from receive(sock, 256, deadline)
        except TimeoutError as error:
            raise Unanswered(str(error)) if _is_connected(sock) else error from None
        if not greeting.endswith(b"\n"):
            raise ConnectionError("the server ended without its name")


def _is_connected(sock: socket.socket) -> bool:
    with suppress(OSError):
        return bool(sock.getpeername())
    return False


def resolve(server: str, domain: str = _DOMAIN) -> Work:
    """Asks for the A record of kubernetes.default in the cluster's domain over UDP, from a new port. What is refused,
    or not answered within PATIENCE, is asked once more, as a resolver does: UDP promises nothing, and kube-proxy may
    send a port that it knows to a Pod that has ended (whatever ended it) for up to a second."""
    begun = time.monotonic()
    try:
        yield from _ask(server, domain, begun + PATIENCE)
    except OSError:
        yield from _ask(server, domain, begun + TIMEOUT)


def _ask(server: str, domain: str, deadline: float) -> Work:
    query = struct.pack(">2s5H", os.urandom(2), 0x0100, 1, 0, 0, 0) + _question(domain)
    with socket.socket(_family(server), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect((server, 53))
        sock.send(query)
        reply = yield from receive(sock, 512, deadline)
    if len(reply) < 12 or reply[:2] != query[:2] or reply[3] & 0x0F or reply[6:8] == b"\0\0":
        raise ConnectionError(f"the answer has no record: {reply[:12].hex()}")


def nameserver(path: Path) -> str:
    """The first nameserver of a resolv.conf. Raises OSError where there is none."""
    for line in path.read_text().splitlines():
        if line.startswith("nameserver "):
            return line.split()[1]
    raise OSError(f"{path} names no nameserver")


def cluster_domain(path: Path) -> str:
    """The cluster's own domain, by the search list of a resolv.conf: what follows `svc.` in the first that has it."""
    for line in path.read_text().splitlines():
        if line.startswith("search "):
            for name in line.split()[1:]:
                if name.startswith("svc."):
                    return name.removeprefix("svc.").rstrip(".")
    return _DOMAIN


def _question(domain: str) -> bytes:
    """kubernetes.default.svc.DOMAIN, type A, class IN."""
    labels = [part.encode() for part in f"kubernetes.default.svc.{domain}".split(".")]
    return b"".join(bytes([len(label)]) + label for label in (*labels, b"")) + struct.pack(">HH", 1, 1)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
