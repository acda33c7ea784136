"""Sends a datagram to all hosts at once, from a socket that is connected and from one that is not, and prints of each
round its number, for how many seconds a flow has had no answer, and which. A round counts as much as it waits: where
this program itself has no CPU it asks nobody. An answer that comes late is one all the same, to what was asked then:
who answers may have no CPU either."""

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
        self.to, self.connected = (host, 9001), connected
        self.answered: int = 0  # the last round that has an answer
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

    def hear(self) -> None:
        """Who a socket that is connected hears from is the kernel's affair."""
        with suppress(OSError):
            got, sender = self.socket.recvfrom(16)
            if sender == self.to or self.connected:
                self.answered = max(self.answered, int(got))


flows = [Flow(host, connected=connected) for host in sys.argv[1:] for connected in (True, False)]
number, waited = 0, 0.0
begun = [0.0]  # how long had been waited in all when a round began
while True:
    number += 1
    begun.append(waited)
    for flow in flows:
        flow.ask(b"%d" % number)
    waiting, until = set(flows), time.monotonic() + WAIT
    # What has come is read behind the time as well.
    while waiting and (ready := select.select(waiting, [], [], max(0, until - time.monotonic()))[0]):
        for flow in ready:
            flow.hear()
        waiting = {flow for flow in flows if flow.answered < number}
    waited += WAIT + PAUSE if waiting else 0.0
    silent = {flow: waited - begun[flow.answered + 1] if flow in waiting else 0.0 for flow in flows}
    longest = max(flows, key=lambda flow: silent[flow])
    print(number, round(silent[longest], 2), longest.name, flush=True)
    time.sleep(PAUSE)
