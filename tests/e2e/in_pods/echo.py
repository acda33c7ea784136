"""Answers each byte of a connection at port 9000, and each datagram at 9001."""

import socketserver
import threading


class Bytes(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while got := self.request.recv(1):
            self.request.sendall(got)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        got, server = self.request
        server.sendto(got, self.client_address)


class Connections(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


threading.Thread(target=socketserver.UDPServer(("", 9001), Datagram).serve_forever, daemon=True).start()
Connections(("", 9000), Bytes).serve_forever()
