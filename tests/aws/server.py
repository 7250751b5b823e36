#!/usr/bin/env python3
"""A server that answers as EC2 may: server.py PORT_FILE SCRIPT LOG

SCRIPT has a line for each request, in their order; the last one stays:

  ok TEXT             status 200 and an answer with TEXT in it
  error STATUS CODE   as EC2 refuses; "after N" behind it: with Retry-After
  bare STATUS         no body
  body STATUS TEXT    TEXT is the body
  reset               the connection is reset, nothing is answered
  junk N              status 200 and N bytes that are no XML

Each request is checked with botocore's signer, for the key AKIDEXAMPLE/secret; a line of JSON goes into LOG:
{"time", "connection": the client's port, "params", "signed": true, "region", "service"}.
"""
import json
import os
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import signed

OK = """<?xml version="1.0" encoding="UTF-8"?>
<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>fake-1</requestId>{1}</{0}Response>"""
ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>{}</Code><Message>Words of EC2.</Message></Error></Errors><RequestID>fake-2</RequestID></Response>"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        params = dict(parse_qsl(body.decode(), keep_blank_values=True))
        seen = signed.judge(self, body, {"AKIDEXAMPLE": "secret"})
        with self.server.open_log() as log:
            log.write(json.dumps({"time": time.monotonic(), "connection": self.client_address[1], "params": params, "signed": seen.good,
                                  "region": seen.region, "service": seen.service}) + "\n")
        verb, *rest = self.server.next_line().split(" ")
        if verb == "ok":
            self.answer(200, OK.format(params["Action"], " ".join(rest)).encode())
        elif verb == "error":
            self.answer(int(rest[0]), ERROR.format(rest[1]).encode(), [("Retry-After", rest[3])] if len(rest) > 2 else ())
        elif verb == "bare":
            self.answer(int(rest[0]), b"")
        elif verb == "body":
            self.answer(int(rest[0]), " ".join(rest[1:]).encode())
        elif verb == "junk":
            self.answer(200, b"x" * int(rest[0]))
        else:
            self.reset()


class Server(ThreadingHTTPServer):
    def __init__(self, script, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.log, self.n = script, log, 0

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def open_log(self):
        return open(self.log, "a", encoding="utf-8")

    def next_line(self):
        """The script is read anew for each request, so that a test may change it; a new one begins at its first line."""
        with open(self.script, encoding="utf-8") as file:
            text = file.read()
        if text != getattr(self, "text", None):
            self.text, self.n = text, 0
        lines = text.splitlines()
        line = lines[min(self.n, len(lines) - 1)]
        self.n += 1
        return line


if __name__ == "__main__":
    server = Server(sys.argv[2], sys.argv[3])
    with open(sys.argv[1] + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()
