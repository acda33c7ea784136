"""Holds a connection to each host for good, and prints of each round its number, its longest wait in seconds, and for
whom. What breaks ends the process, and nobody starts a Pod of its own again."""

import socket
import sys
import time

held = [socket.create_connection((host, 9000), 20) for host in sys.argv[1:]]
asked = 0
while True:
    asked += 1
    waited: list[tuple[float, str]] = []
    for each in held:
        began = time.monotonic()
        each.sendall(b"x")
        if each.recv(1) != b"x":
            sys.exit(f"{each.getpeername()} has closed")
        waited.append((round(time.monotonic() - began, 2), each.getpeername()[0]))
    print(asked, *max(waited), flush=True)
    time.sleep(0.05)
