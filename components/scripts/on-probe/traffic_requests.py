"""What a prober asks: each function makes one request, over a new connection, and raises OSError where it fails."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
from pathlib import Path

# Seconds, of each wait: one lost SYN is slow (its retry comes after 1 s, and shows as a gap), two are a failure.
TIMEOUT = 3.0
PATIENCE = 0.5  # seconds, of a question to DNS before it is asked again; a resolver's own is 1 to 5
# With this, a close is a reset, and neither side keeps the port or the conntrack entry for minutes: at 20 requests a
# second and kind the remains of the measurement would become its load.
_NO_LINGER = struct.pack("ii", 1, 0)
# kubernetes.default.svc.cluster.local, type A, class IN
_NAME = b"".join(bytes([len(part)]) + part for part in (b"kubernetes", b"default", b"svc", b"cluster", b"local", b""))
_QUESTION = _NAME + struct.pack(">HH", 1, 1)

Address = tuple[str, int]


def connect(address: Address) -> socket.socket:
    """A new TCP connection, whose every wait ends after TIMEOUT."""
    sock = socket.create_connection(address, TIMEOUT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    return sock


def greet(address: Address) -> None:
    """Connects and reads the line with the server's name."""
    with connect(address) as sock:
        if not sock.recv(256).endswith(b"\n"):
            raise ConnectionError("the server ended without its name")


def resolve(server: str) -> None:
    """Asks for the A record of kubernetes.default over UDP, from a new port. What is not answered within PATIENCE is
    asked once more, as a resolver does: UDP promises nothing, and kube-proxy may send a port that it knows to a Pod
    that has ended (whatever ended it) for up to a second."""
    try:
        _ask(server, PATIENCE)
    except TimeoutError:
        _ask(server, TIMEOUT - PATIENCE)


def _ask(server: str, patience: float) -> None:
    query = struct.pack(">2s5H", os.urandom(2), 0x0100, 1, 0, 0, 0) + _QUESTION
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect((server, 53))
        sock.send(query)
        reply = sock.recv(512)
    if len(reply) < 12 or reply[:2] != query[:2] or reply[3] & 0x0F or reply[6:8] == b"\0\0":
        raise ConnectionError(f"the answer has no record: {reply[:12].hex()}")


def nameserver(path: Path) -> str:
    """The first nameserver of a resolv.conf. Raises OSError where there is none."""
    for line in path.read_text().splitlines():
        if line.startswith("nameserver "):
            return line.split()[1]
    raise OSError(f"{path} names no nameserver")


class Api:
    """The cluster's API, over a new TLS connection for each request; only the TLS session is used again, since a whole
    handshake costs the API server more than the request. `credentials` is a ServiceAccount's folder. Of one thread."""

    def __init__(self, address: Address, credentials: Path) -> None:
        self._address = address
        self._credentials = credentials
        self._context: ssl.SSLContext | None = None
        self._session: ssl.SSLSession | None = None

    def get(self, path: str) -> bytes:
        """The body of an answer 200; anything else is an OSError."""
        if self._context is None:
            context = ssl.create_default_context(cafile=str(self._credentials / "ca.crt"))
            # The default since Python 3.13, which refuses certificates that lack what Kubernetes never needed.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._context = context
        token = (self._credentials / "token").read_text().strip()  # read again: it is renewed every hour
        host = self._address[0]
        # HTTP/1.0: the server ends the connection after the answer and sends it in one piece.
        request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        with (
            connect(self._address) as plain,
            self._context.wrap_socket(plain, server_hostname=host, session=self._session) as secured,
        ):
            secured.sendall(request.encode())
            answer = b"".join(iter(lambda: secured.recv(65536), b""))
            self._session = secured.session
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.split(b" ")[1:2] != [b"200"]:
            raise ConnectionError(f"GET {path}: {head[:80]!r}")
        return body


def ready_pods(slices: bytes) -> dict[str, str]:
    """Names and addresses of the ready Pods in a list of EndpointSlices. Raises ValueError, LookupError or TypeError
    where it is no such list."""
    return {
        endpoint["targetRef"]["name"]: endpoint["addresses"][0]
        for item in json.loads(slices)["items"]
        if item["endpoints"]  # null where no Pod is there
        for endpoint in item["endpoints"]
        if endpoint["conditions"].get("ready")
    }
