"""Holds a connection to each host for good, and prints rounds and the longest one in seconds. What breaks ends the
process, and nobody starts a Pod of its own again."""

import socket
import sys
import time

held = [socket.create_connection((host, 9000), 20) for host in sys.argv[1:]]
asked, longest = 0, 0.0
while True:
    for each in held:
        began = time.monotonic()
        each.sendall(b"x")
        if each.recv(1) != b"x":
            sys.exit(f"{each.getpeername()} has closed")
        longest = max(longest, time.monotonic() - began)
    asked += 1
    print(asked, round(longest, 2), flush=True)
    time.sleep(0.05)
