"""A proxy that loses exactly the COMMIT that a test wants lost."""

from __future__ import annotations

import contextlib
import enum
import socket
import threading
from collections import deque
from urllib.parse import urlsplit, urlunsplit

_COMMIT = b"COMMIT\0"


class Loss(enum.Enum):
    """What happens to a COMMIT."""

    BEFORE = "cut before it reaches the server"
    AFTER = "cut once it took effect, the answer swallowed"
    SILENCE = "it takes effect, and the answer never comes"
    STUCK = "neither it nor anything after it reaches the server, and nobody is told"


class Proxy:
    """Forwards bytes. Each loss that was ordered happens to one COMMIT; `lost` counts them."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._orders: deque[Loss] = deque()
        self._sockets: list[socket.socket] = []
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
        while self._sockets:
            _end(self._sockets.pop())

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
                self._start(link.upwards)
                self._start(link.downwards)

    def next_order(self) -> Loss | None:
        self.commits += 1
        return self._orders.popleft() if self._orders else None


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._loss: Loss | None = None

    def upwards(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                if _COMMIT in data and self._loss is None:
                    self._loss = self._proxy.next_order()
                    if self._loss is Loss.BEFORE:
                        self._proxy.lost += 1
                        break
                    if self._loss is Loss.STUCK:
                        self._proxy.lost += 1
                if self._loss is not Loss.STUCK:
                    self._server.sendall(data)
        self._end()

    def downwards(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                if self._loss in (Loss.AFTER, Loss.SILENCE):
                    self._proxy.lost += 1
                    if self._loss is Loss.AFTER:
                        break
                    continue
                self._client.sendall(data)
        self._end()

    def _end(self) -> None:
        if self._loss in (Loss.SILENCE, Loss.STUCK):
            return
        _end(self._client)
        _end(self._server)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
