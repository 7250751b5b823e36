#!/usr/bin/python3
"""A PostgreSQL server that keeps the rows of pgha_drill in memory, and lies as it is told.

usage: liar.py PORTFILE [LIE:N | LIE:N:MS]...    at the Nth insert of all (stale: the Nth read; mute: writer N)

  drop      acknowledges a row, and does not keep it       close     keeps it, and closes before the answer
  double    keeps it twice                                 lose      closes, and has not kept it
  swap      keeps it before the writer's one before        silent    keeps it, and never answers
  alter     keeps another hash                             readonly  refuses it: SQLSTATE 25006
  invent    keeps another one, which nobody sent           late      answers after MS
  stuck     for MS nobody is answered; whoever still waits then is
  outage    for MS every connection is closed, and new ones are refused
  stale     a read that has forgotten the last two rows of every writer
  mute      keeps all rows of the writer, and never answers it

Ends with its stdin, and tells then how many inserts it acknowledged. The protocol:
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""
import re
import socket
import struct
import sys
import threading
import time

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
PARAMETERS = {"server_version": "15.0", "client_encoding": "UTF8", "standard_conforming_strings": "on",
              "in_hot_standby": "off", "default_transaction_read_only": "off"}

OF = {"stale": "read", "mute": "writer"}  # what N counts


class Closed(Exception):
    """This connection ends, by the client or by a lie."""


class Server:
    """The rows, and what was said about them. The lock is held while a statement is looked at."""

    def __init__(self, lies):
        self.lies = lies
        self.lock = threading.Lock()
        self.rows = []  # [run, writer, number, previous, hash, position]
        self.inserts = self.reads = self.acknowledged = 0
        self.stuck_until = 0.0
        self.connections = set()
        self.listener = None
        self.port = 0
        self.listen()

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.listener, self.port = listener, listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.add(connection)
            threading.Thread(target=Session(self, connection).run, daemon=True).start()

    def outage(self, ms):
        """Called with the lock held."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()
        threading.Timer(ms / 1000, self.listen).start()

    def insert(self, row):
        """Keeps the row, or what a lie makes of it. Returns the lie and its time."""
        self.inserts += 1
        lie, ms = self.lies.get(("insert", self.inserts)) or self.lies.get(("writer", row[1]), ("", 0))
        position = self.inserts * 10
        if lie == "swap":
            before = max((r for r in self.rows if r[:2] == row[:2]), key=lambda r: r[2])
            before[5], position = position, before[5]
        if lie not in ("drop", "lose", "readonly", "outage"):
            self.rows.append(row + [position])
        if lie == "double":
            self.rows.append(row + [position + 1])
        if lie == "alter":
            self.rows[-1][4] ^= 1
        if lie == "invent":
            self.rows.append([row[0], row[1], row[2] + 1000000, row[3], row[4], position + 1])
        if lie == "stuck":
            self.stuck_until = time.monotonic() + ms / 1000
        if lie == "outage":
            self.outage(ms)
        return lie, ms

    def highest(self, run, writers):
        self.reads += 1
        lie, _ = self.lies.get(("read", self.reads), ("", 0))
        numbers = [max((r[2] for r in self.rows if r[:2] == [run, w]), default=0) for w in range(writers)]
        return [max(n - 2, 0) for n in numbers] if lie == "stale" else numbers


class Session:
    """One connection; the extended protocol only, which is all that the library speaks."""

    def __init__(self, server, connection):
        self.server, self.connection = server, connection
        self.cursor = []
        self.query, self.params = "", []
        self.answer = b""  # sent as one, when the server is ready for the next statement

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise Closed
            data += more
        return data

    def send(self, kind, body=b""):
        self.answer += kind + struct.pack("!i", len(body) + 4) + body
        if kind == b"Z":
            self.connection.sendall(self.answer)
            self.answer = b""

    def start(self):
        while True:
            size, code = struct.unpack("!ii", self.read(8))
            self.read(size - 8)
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            self.connection.sendall(b"N")
        self.send(b"R", struct.pack("!i", 0))
        for name, value in PARAMETERS.items():
            self.send(b"S", f"{name}\0{value}\0".encode())
        self.send(b"K", struct.pack("!ii", 1, 1))
        self.send(b"Z", b"I")

    def bind(self, body):
        """Portal and statement have no name; the parameters are texts."""
        formats, = struct.unpack_from("!h", body, 2)
        at = 4 + 2 * formats
        count, = struct.unpack_from("!h", body, at)
        at += 2
        self.params = []
        for _ in range(count):
            size, = struct.unpack_from("!i", body, at)
            self.params.append(int(body[at + 4:at + 4 + size]))
            at += 4 + size

    def run_insert(self):
        with self.server.lock:
            lie, ms = self.server.insert(self.params)
        if lie in ("close", "lose", "outage"):
            raise Closed
        if lie in ("silent", "mute"):
            while True:
                self.read(1)  # until the client has had enough
        if lie == "late":
            time.sleep(ms / 1000)
        if lie == "readonly":
            self.send(b"E", b"SERROR\0VERROR\0C25006\0Mcannot execute INSERT in a read-only transaction\0\0")
            return None
        wait = self.server.stuck_until - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        return [], "INSERT 0 1"

    def run_query(self):
        """The rows of the answer and its tag; None: an error was sent."""
        server, query = self.server, self.query
        if query.startswith("INSERT INTO pgha_drill"):
            return self.run_insert()
        with server.lock:
            if query.startswith("SELECT coalesce("):
                return [[n] for n in server.highest(*self.params)], "SELECT"
            if query.startswith("DECLARE"):
                run = int(re.search(r"run = (\d+)", query)[1])
                self.cursor = [row[1:] for row in server.rows if row[0] == run]
            if query.startswith("FETCH"):
                size = int(query.split()[1])
                rows, self.cursor = self.cursor[:size], self.cursor[size:]
                return rows, f"FETCH {len(rows)}"
        return [], query.split()[0]

    def execute(self):
        answer = self.run_query()
        if not answer:
            return
        rows, tag = answer
        if rows:
            column = b"c\0" + struct.pack("!ihihih", 0, 0, 20, 8, -1, 0)
            self.send(b"T", struct.pack("!h", len(rows[0])) + column * len(rows[0]))
        else:
            self.send(b"n")
        for row in rows:
            texts = [str(value).encode() for value in row]
            self.send(b"D", struct.pack("!h", len(row)) + b"".join(struct.pack("!i", len(t)) + t for t in texts))
        if tag.startswith("INSERT"):
            with self.server.lock:
                self.server.acknowledged += 1
        self.send(b"C", tag.encode() + b"\0")

    def run(self):
        try:
            self.start()
            while True:
                kind = self.read(1)
                body = self.read(struct.unpack("!i", self.read(4))[0] - 4)
                if kind == b"P":
                    self.query = body.split(b"\0")[1].decode()
                    self.send(b"1")
                elif kind == b"B":
                    self.bind(body)
                    self.send(b"2")
                elif kind == b"E":
                    self.execute()
                elif kind == b"S":
                    self.send(b"Z", b"I")
                elif kind == b"X":
                    raise Closed
        except (Closed, OSError):
            pass
        with self.server.lock:
            self.server.connections.discard(self.connection)
        self.connection.close()


def main():
    lies = {}
    for argument in sys.argv[2:]:
        name, number, ms = (argument + ":0").split(":")[:3]
        lies[OF.get(name, "insert"), int(number)] = (name, int(ms))
    server = Server(lies)
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"{server.port}\n")
    sys.stdin.read()
    print("acknowledged", server.acknowledged)


main()
