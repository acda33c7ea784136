"""Sends a datagram to all hosts at once, from a socket that is connected and from one that is not, and prints of each
round its number, for how many seconds a flow has had no answer, and which. A round counts as much as it waits: where
this program itself has no CPU it asks nobody."""

import select
import socket
import sys
import time
from contextlib import suppress

WAIT, PAUSE = 0.2, 0.05


class Flow:
    """Both ways fail where an ICMP message has come, or a rule drops: then nobody has answered."""

    def __init__(self, host: str, *, connected: bool) -> None:
        self.name = f"{host}/connected" if connected else host
        self.to, self.connected, self.silent = (host, 9001), connected, 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        if connected:
            self.socket.connect(self.to)

    def fileno(self) -> int:
        return self.socket.fileno()

    def ask(self, asked: bytes) -> None:
        with suppress(OSError):
            if self.connected:
                self.socket.send(asked)
            else:
                self.socket.sendto(asked, self.to)

    def answered(self, asked: bytes) -> bool:
        """An answer of before may come late. Who a socket that is connected hears from is the kernel's affair."""
        with suppress(OSError):
            got, sender = self.socket.recvfrom(16)
            return got == asked and (sender == self.to or self.connected)
        return False


flows = [Flow(host, connected=connected) for host in sys.argv[1:] for connected in (True, False)]
number = 0
while True:
    number += 1
    asked = b"%d" % number
    for flow in flows:
        flow.ask(asked)
    waiting, until = set(flows), time.monotonic() + WAIT
    # What has come is read behind the time as well.
    while waiting and (ready := select.select(waiting, [], [], max(0, until - time.monotonic()))[0]):
        waiting -= {flow for flow in ready if flow.answered(asked)}
    for flow in flows:
        flow.silent = flow.silent + WAIT + PAUSE if flow in waiting else 0.0
    longest = max(flows, key=lambda flow: flow.silent)
    print(number, round(longest.silent, 2), longest.name, flush=True)
    time.sleep(PAUSE)
