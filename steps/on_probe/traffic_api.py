"""The cluster's API, as a prober asks it: over TLS, with the Pod's ServiceAccount."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Generator
from pathlib import Path
from socket import socket

from traffic_loop import READ, WRITE, Wait
from traffic_requests import TIMEOUT, Address, connect, connected


class Api:
    """Asks over a new TLS connection for each request; only the TLS session is used again, since a whole handshake
    costs the API server more than the request. `credentials` is a ServiceAccount's folder."""

    def __init__(self, address: Address, credentials: Path) -> None:
        self._address = address
        self._credentials = credentials
        self._context: ssl.SSLContext | None = None
        self._session: ssl.SSLSession | None = None
        self._token = (0.0, "")  # when it was read, and the token

    def get(self, path: str) -> Generator[Wait, None, bytes]:
        """The body of an answer 200; anything else is an OSError."""
        deadline = time.monotonic() + TIMEOUT
        return (yield from self._get((yield from self._reach(deadline)), path, deadline))

    def took(self, path: str, patience: float) -> Generator[Wait, None, float]:
        """The seconds until an answer 200 from when the connection is there: a kernel lets it come about without its
        server."""
        deadline = time.monotonic() + patience
        plain = yield from self._reach(deadline)
        since = time.monotonic()
        yield from self._get(plain, path, deadline)
        return time.monotonic() - since

    def open(self, deadline: float) -> Generator[Wait, None, ssl.SSLSocket]:
        """A connection over which it can be asked, which is the caller's to close."""
        return (yield from self._secure((yield from self._reach(deadline)), deadline))

    def ask(self, secured: ssl.SSLSocket, path: str, deadline: float) -> Generator[Wait, None, bool]:
        """Asks over a connection that stays open: whether it does, behind an answer of whatever kind. False where the
        server ends it; a connection that ends in any other way is an OSError."""
        secured.sendall(self._request(path, "1.1"))
        answer = b""
        while True:
            more = yield from _some(secured, deadline)
            if not more:
                return False
            answer += more
            head, end, body = answer.partition(b"\r\n\r\n")
            if not end:
                continue
            length = _length(head)
            if length is None:
                return False
            if len(body) >= length:
                return True

    def _reach(self, deadline: float) -> Generator[Wait, None, socket]:
        plain = connect(self._address)
        try:
            yield plain, WRITE, deadline
        except BaseException:
            plain.close()
            raise
        return plain

    def _secure(self, plain: socket, deadline: float) -> Generator[Wait, None, ssl.SSLSocket]:
        with plain:
            secured = self._verified().wrap_socket(
                plain, server_hostname=self._address[0], session=self._session, do_handshake_on_connect=False
            )
        try:
            with connected():
                yield from _shake_hands(secured, deadline)
        except BaseException:
            secured.close()
            raise
        return secured

    def _get(self, plain: socket, path: str, deadline: float) -> Generator[Wait, None, bytes]:
        with (yield from self._secure(plain, deadline)) as secured, connected():
            # HTTP/1.0: the server ends the connection after the answer and sends it in one piece.
            secured.sendall(self._request(path, "1.0"))  # shorter than any socket's buffer
            answer = yield from _read(secured, deadline)
            self._session = secured.session
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.split(b" ")[1:2] != [b"200"]:
            raise ConnectionError(f"GET {path}: {head[:80]!r}")
        return body

    def _request(self, path: str, version: str) -> bytes:
        host = self._address[0]
        return f"GET {path} HTTP/{version}\r\nHost: {host}\r\nAuthorization: Bearer {self._bearer()}\r\n\r\n".encode()

    def _verified(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context(cafile=str(self._credentials / "ca.crt"))
            # The default since Python 3.13, which refuses certificates that lack what Kubernetes never needed.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._context = context
        return self._context

    def _bearer(self) -> str:
        # It is renewed every hour.
        if time.monotonic() - self._token[0] > 60 or not self._token[1]:
            self._token = (time.monotonic(), (self._credentials / "token").read_text().strip())
        return self._token[1]


def _shake_hands(secured: ssl.SSLSocket, deadline: float) -> Generator[Wait, None, None]:
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            yield secured, READ, deadline
        except ssl.SSLWantWriteError:
            yield secured, WRITE, deadline


def _some(secured: ssl.SSLSocket, deadline: float) -> Generator[Wait, None, bytes]:
    """What comes next; nothing at the end."""
    while True:
        try:
            return secured.recv(65536)
        except ssl.SSLWantReadError:
            yield secured, READ, deadline


def _read(secured: ssl.SSLSocket, deadline: float) -> Generator[Wait, None, bytes]:
    answer = b""
    while more := (yield from _some(secured, deadline)):
        answer += more
    return answer


def _length(head: bytes) -> int | None:
    """How long the body is; none where the server ends the connection behind it, or does not say."""
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    fields = {name.strip(): value.strip() for name, _, value in lines}
    length = fields.get(b"content-length", b"")
    return int(length) if length.isdigit() and fields.get(b"connection") != b"close" else None


def ready_pods(slices: bytes) -> dict[str, tuple[str, str]]:
    """Names of the ready Pods in a list of EndpointSlices, with the address and the node of each. Raises ValueError,
    LookupError or TypeError where it is no such list."""
    return {
        endpoint["targetRef"]["name"]: (endpoint["addresses"][0], endpoint.get("nodeName") or "")
        for item in json.loads(slices)["items"]
        if item["endpoints"]  # null where no Pod is there
        for endpoint in item["endpoints"]
        if endpoint["conditions"].get("ready")
    }
