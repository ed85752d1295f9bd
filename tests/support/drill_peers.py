"""Both ends of PostgreSQL's wire, by hand, for the drill's proxy between them."""

import contextlib
import socket
import threading

import pytest

from drill.processes import wait_until
from drill.wire import SSL_REQUEST, ClientSplitter

STARTUP = (8 + 9).to_bytes(4, "big") + (196608).to_bytes(4, "big") + b"user\0me\0\0"
WRITE, COMMIT = "INSERT INTO robusto_ledger VALUES (1)", "COMMIT"


def message(kind, body):
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def answers_to(sql, aborted):
    tag = "ROLLBACK" if aborted and sql == COMMIT else sql.split()[0]
    return message(b"C", tag.encode() + b"\0") + message(b"Z", b"I" if sql == COMMIT else b"T")


class Server:
    """Speaks enough of PostgreSQL to be asked; remembers what reached it."""

    def __init__(self):
        self.seen = []
        self.aborted = False  # answer COMMIT with ROLLBACK
        self.mute = False  # take everything, answer nothing
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        splitter = ClientSplitter()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                for frame in splitter.feed(data):
                    self._answer(connection, frame)

    def _answer(self, connection, frame):
        if frame.kind == b"Q":
            sql = frame.body.rstrip(b"\0").decode()
            self.seen.append(sql)
            if not self.mute:
                connection.sendall(answers_to(sql, self.aborted))
        elif frame.body == SSL_REQUEST.to_bytes(4, "big"):
            connection.sendall(b"N")
        else:
            connection.sendall(message(b"R", bytes(4)) + message(b"Z", b"I"))

    def saw(self, sql):
        """Whether it arrives within a while."""
        return wait_until(lambda: sql in self.seen, 3, step=0.01)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Client:
    """A client by hand, on a bare socket; entering it is logging in."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=3)
        self.send = self.socket.sendall

    def __enter__(self):
        try:
            self.send(STARTUP)
            assert self.read(15) == message(b"R", bytes(4)) + message(b"Z", b"I")
            return self
        except BaseException:
            self.socket.close()
            raise

    def __exit__(self, *_):
        self.socket.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            if not (part := self.socket.recv(size - len(data))):
                raise ConnectionError("hung up")
            data += part
        return data

    def ask(self, sql, aborted=False):
        """Send it and take the whole answer."""
        self.send(query(sql))
        expected = answers_to(sql, aborted)
        assert self.read(len(expected)) == expected

    def write(self):
        """Do everything but the COMMIT."""
        self.ask("BEGIN")
        self.ask(WRITE)

    def hears_nothing(self):
        """Whether the connection ends without another byte."""
        with pytest.raises(ConnectionError):
            self.read(1)
        return True
