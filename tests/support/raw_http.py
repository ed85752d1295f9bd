"""Requests byte by byte, as no library would send them."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

_STATUS = re.compile(rb"\AHTTP/1\.[01] (\d{3}) ")
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection was closed without a word."""

    status: int
    head: str
    body: bytes


class RawHttp:
    """Sends to one address; every request has a connection to itself."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, *parts: bytes, end: bool = False) -> Answer:
        """Send the parts, with `end` say that there is no more, and read until the other side closes."""
        with socket.create_connection(("127.0.0.1", self._port), _PATIENCE) as connection:
            with suppress(OSError):
                for part in parts:
                    connection.sendall(part)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            return _read(connection)

    def pour(self, head: bytes, part: bytes, at_most: int) -> tuple[Answer, int]:
        """Go on sending `part` until the other side closes; the answer, and how many bytes went out."""
        sent = 0
        with socket.create_connection(("127.0.0.1", self._port), _PATIENCE) as connection:
            connection.sendall(head)
            with suppress(OSError):
                while sent < at_most:
                    connection.sendall(part)
                    sent += len(part)
            return _read(connection), sent


def _read(connection: socket.socket) -> Answer:
    received = b""
    with suppress(OSError):
        while found := connection.recv(65536):
            received += found
    status = _STATUS.match(received)
    head, _, body = received.partition(b"\r\n\r\n")
    return Answer(int(status[1]) if status else 0, head.decode("latin-1"), body)
