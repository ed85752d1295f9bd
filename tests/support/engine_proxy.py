"""A proxy that loses exactly what a test wants lost: a COMMIT, one piece of a conversation, all of it."""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
import time
from collections import deque
from urllib.parse import urlsplit, urlunsplit

_COMMIT = b"COMMIT\0"
#: An ErrorResponse 40003 (statement completion unknown), and ReadyForQuery outside a transaction.
_NOBODY_KNOWS = b"E" + struct.pack("!I", 29) + b"SERROR\0VERROR\0C40003\0M?\0\0" + b"Z\0\0\0\5I"


class Loss(enum.Enum):
    """What happens to a COMMIT."""

    BEFORE = "cut before it reaches the server"
    AFTER = "cut once it took effect, the answer swallowed"
    RESET_BEFORE = "reset before it reaches the server"
    RESET_AFTER = "reset once it took effect, the answer swallowed"
    SILENCE = "it takes effect, and the answer never comes"
    STUCK = "neither it nor anything after it reaches the server, and nobody is told"
    DOUBT = "it takes effect, and the answer is an error that says: nobody knows (40003)"


_BEFORE, _AFTER = (Loss.BEFORE, Loss.RESET_BEFORE), (Loss.AFTER, Loss.RESET_AFTER)


class Proxy:
    """Forwards bytes. Each loss that was ordered happens to one COMMIT; `lost` counts them."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._orders: deque[Loss] = deque()
        self._sockets: list[socket.socket] = []
        self._links: list[_Link] = []
        self._pieces_left: int | None = None
        self._hard = False
        self._catch = b""
        self.drip = 0.0
        self.caught = threading.Event()
        self.lost = 0
        self.commits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def dsn(self, direct: str) -> str:
        """The same database, through this proxy."""
        parts = urlsplit(direct)
        place = parts.netloc.rpartition(":")[0] + f":{self.port}"
        query = "sslmode=disable&gssencmode=disable"
        return urlunsplit(parts._replace(netloc=place, query=query))

    def lose(self, *losses: Loss) -> None:
        """Lose the next COMMITs like this, one after the other."""
        self._orders.extend(losses)

    def cut(self) -> None:
        """End every connection."""
        self._links.clear()
        while self._sockets:
            _end(self._sockets.pop())

    def cut_after(self, pieces: int, *, hard: bool) -> None:
        """Cut the connection on which the so-manyth piece from now on goes by, either way, instead of it."""
        self._pieces_left, self._hard = pieces, hard

    def mute(self) -> None:
        """Nothing that comes on today's connections is handed on any more, and nobody is told."""
        for link in self._links:
            link.deaf = True

    def catch(self, text: bytes) -> None:
        """Keep back the next message to the server that holds this, and all that its sender says after it."""
        self._catch = text
        self.caught.clear()

    def let_go(self) -> None:
        """What was kept back reaches the server now, though its sender may be gone."""
        for link in self._links:
            link.let_go()

    @staticmethod
    def _start(target: object, *args: object) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._server_port))
                except OSError:
                    client.close()
                    continue
                self._sockets += [client, server]
                link = _Link(self, client, server)
                self._links.append(link)
                self._start(link.upwards)
                self._start(link.downwards)

    def next_order(self) -> Loss | None:
        self.commits += 1
        return self._orders.popleft() if self._orders else None

    def cuts_here(self) -> bool:
        """A piece goes by."""
        if self._pieces_left is None:
            return False
        self._pieces_left -= 1
        if self._pieces_left > 0:
            return False
        self._pieces_left = None
        self.lost += 1
        return True

    @property
    def hard(self) -> bool:
        return self._hard

    def catches(self, data: bytes) -> bool:
        if not self._catch or self._catch not in data:
            return False
        self._catch = b""
        self.caught.set()
        return True


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._loss: Loss | None = None
        self._kept: bytearray | None = None
        self._hard = False
        self.deaf = False

    def upwards(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                if self._stops_at(data):
                    break
                if self._proxy.catches(data):
                    self._kept = bytearray()
                if self._kept is not None:
                    self._kept += data
                elif self._loss is not Loss.STUCK and not self.deaf:
                    self._server.sendall(data)
        self._end()

    def _stops_at(self, data: bytes) -> bool:
        if self._proxy.cuts_here():
            self._hard = self._proxy.hard
            return True
        if _COMMIT in data and self._loss is None:
            self._loss = self._proxy.next_order()
            if self._loss in (*_BEFORE, Loss.STUCK):
                self._proxy.lost += 1
        return self._loss in _BEFORE

    def downwards(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                if self._proxy.cuts_here():
                    self._hard = self._proxy.hard
                    break
                if self._loss in (*_AFTER, Loss.SILENCE, Loss.DOUBT):
                    self._proxy.lost += 1
                    if self._loss in _AFTER:
                        break
                    if self._loss is Loss.DOUBT:
                        self._loss = None
                        self._client.sendall(_NOBODY_KNOWS)
                    continue
                if not self.deaf:
                    self._hand_down(data)
        self._end()

    def _hand_down(self, data: bytes) -> None:
        if not self._proxy.drip:
            self._client.sendall(data)
            return
        for byte in data:
            time.sleep(self._proxy.drip)
            self._client.sendall(bytes([byte]))

    def let_go(self) -> None:
        if self._kept is not None:
            data, self._kept = bytes(self._kept), None
            with contextlib.suppress(OSError):
                self._server.sendall(data)
                self._server.shutdown(socket.SHUT_WR)

    def _end(self) -> None:
        if self._loss in (Loss.SILENCE, Loss.STUCK) or self.deaf or self._kept is not None:
            return
        hard = self._hard or self._loss in (Loss.RESET_BEFORE, Loss.RESET_AFTER)
        _end(self._client, hard=hard)
        _end(self._server)


def _end(end: socket.socket, *, hard: bool = False) -> None:
    with contextlib.suppress(OSError):
        if hard:  # a reset instead of a polite FIN
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Whoever reads it must wake up and leave, or closing would not end it; this half tells no peer.
        end.shutdown(socket.SHUT_RD if hard else socket.SHUT_RDWR)
    end.close()
