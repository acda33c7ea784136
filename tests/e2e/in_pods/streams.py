"""Holds a connection to each host for good, and prints of each round its number, its longest wait in seconds, and for
whom. What breaks ends the process, and nobody starts a Pod of its own again. A wait counts as much as it is waited:
where this program itself has no CPU it hears nobody."""

import socket
import sys
import time
from contextlib import suppress

SLICE, PATIENCE = 0.2, 20


def opened(host: str) -> socket.socket:
    """Who is asked may not listen yet, and a Service takes a moment to reach every node."""
    while True:
        with suppress(OSError):
            made = socket.create_connection((host, 9000), PATIENCE)
            made.settimeout(SLICE)
            return made
        time.sleep(0.2)  # between two tries


def echoed(made: socket.socket) -> float:
    """Sends a byte and waits for it, for how long it says."""
    made.sendall(b"x")
    waited = 0.0
    while True:
        began = time.monotonic()
        try:
            got = made.recv(1)
        except TimeoutError:
            waited += SLICE
            if waited > PATIENCE:
                sys.exit(f"{made.getpeername()} does not answer")
            continue
        if got != b"x":
            sys.exit(f"{made.getpeername()} has closed")
        return round(waited + min(SLICE, time.monotonic() - began), 2)


held = [opened(host) for host in sys.argv[1:]]
asked = 0
while True:
    asked += 1
    waits = [(echoed(each), each.getpeername()[0]) for each in held]
    print(asked, *max(waits), flush=True)
    time.sleep(0.05)
