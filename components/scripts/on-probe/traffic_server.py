"""The server behind the Service that the probers ask: it says its name, then echoes."""

from __future__ import annotations

import asyncio


class Server:
    """Owns the port and the open connections, in the event loop that it was started in."""

    def __init__(self, name: str) -> None:
        self.greeting = name.encode() + b"\n"
        self.draining = False
        self.open: set[asyncio.Transport] = set()

    async def listen(self, port: int) -> None:
        """Answers on `port` of every IPv4 address from now on. Raises OSError where the port is taken."""
        await asyncio.get_running_loop().create_server(lambda: _Connection(self), "0.0.0.0", port)

    async def drain(self, seconds: float) -> None:
        """Says bye on each held connection, then goes on answering: kube-proxy and Cilium take a moment to take a Pod
        that ends out of the Service, and send new connections here until then."""
        self.draining = True
        for transport in self.open:
            transport.write(b"bye\n")
        await asyncio.sleep(seconds)


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.open.add(transport)
        # One that comes while the Pod ends is served, and told at once that it cannot stay.
        transport.write(self._server.greeting + (b"bye\n" if self._server.draining else b""))

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._server.open.discard(self._transport)
