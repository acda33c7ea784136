"""The server behind the Service that the probers ask: it says its name, then echoes."""

from __future__ import annotations

import socket
from contextlib import suppress

from traffic_loop import NEVER, READ, Loop, Work
from traffic_requests import receive

_BYE = b"bye\n"


class Server:
    """Owns the port and the open connections; `address` is its own. Raises OSError where the port is taken."""

    def __init__(self, loop: Loop, name: str, port: int, host: str = "0.0.0.0") -> None:
        self._loop = loop
        self._greeting = name.encode() + b"\n"
        self._draining = False
        self._open: set[socket.socket] = set()
        # More than come while this process has no CPU for seconds: a full queue drops what the network has brought.
        self._listener = socket.create_server((host, port), backlog=4096)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._listener.setblocking(False)

    def listen(self) -> Work:
        """Answers whoever comes."""
        while True:
            yield self._listener, READ, NEVER
            try:
                sock, _ = self._listener.accept()
            except OSError:
                continue  # it has gone again
            sock.setblocking(False)
            self._loop.start(self._talk(sock))

    def drain(self) -> None:
        """Says bye on each held connection and goes on answering: kube-proxy and Cilium take a moment to take a Pod
        that ends out of the Service, and send new connections here until then."""
        self._draining = True
        for sock in self._open:
            _tell(sock, _BYE)

    def _talk(self, sock: socket.socket) -> Work:
        with sock:
            # One that comes while the Pod ends is served, and told at once that it cannot stay.
            _tell(sock, self._greeting + (_BYE if self._draining else b""))
            self._open.add(sock)
            try:
                while True:
                    heard = yield from receive(sock, 4096, NEVER)
                    if not heard:
                        return
                    sock.send(heard)
            except OSError:
                return  # a reset is how probers close
            finally:
                self._open.discard(sock)


def _tell(sock: socket.socket, words: bytes) -> None:
    with suppress(OSError):  # whoever has gone finds it out at their own end
        sock.send(words)
