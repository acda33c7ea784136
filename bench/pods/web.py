"""Answers each HTTP request with one word. Runs in a Pod: python3 web.py PORT"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    """No files, and no line in a log for each request."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    # With http.server's five, what comes while this process has no CPU is dropped, and passes for the network's loss.
    request_queue_size = 4096


Server(("", int(sys.argv[1])), Answer).serve_forever()
