"""Sends datagrams to each host, from a socket that is connected and from one that is not, and prints rounds, and the
longest silence of one of these flows in seconds."""

import socket
import sys
import time

flows = [(host, connected) for host in sys.argv[1:] for connected in (True, False)]
sockets = {flow: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for flow in flows}
for (host, connected), each in sockets.items():
    each.settimeout(0.2)
    if connected:
        each.connect((host, 9001))
heard = dict.fromkeys(flows, time.monotonic())
asked, longest = 0, 0.0
while True:
    asked += 1
    for flow, each in sockets.items():
        host, connected = flow
        try:
            if connected:
                each.send(b"%d" % asked)
            else:
                each.sendto(b"%d" % asked, (host, 9001))
            got, sender = b"", ("", 0)
            # An answer of before may come late. Who a socket that is connected hears from is the kernel's affair.
            while got != b"%d" % asked or not (connected or sender == (host, 9001)):
                got, sender = each.recvfrom(16)
        except OSError:
            longest = max(longest, time.monotonic() - heard[flow])
        else:
            longest, heard[flow] = max(longest, time.monotonic() - heard[flow]), time.monotonic()
    print(asked, round(longest, 2), flush=True)
    time.sleep(0.05)
