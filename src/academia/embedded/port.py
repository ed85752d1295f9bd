"""The embedded server's port: chosen once, kept, and replaced only when somebody else took it."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from academia.embedded.errors import EmbeddedError
from academia.made_once import keep, made_once

HOST = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections (32768 and up), so that the
# port is still free when the server is started again.
_RANGE = range(20_000, 32_000)
_TRIES = 200


def saved_port(var: Path) -> int:
    """The port kept under `var`; a free one is chosen and kept the first time.

    Raises OSError where `var` cannot be read or written, EmbeddedError where no port is free.
    """
    return int(made_once(_file(var), lambda: str(free_port())))


def choose_another_port(var: Path) -> int:
    """Choose a free port and keep it in place of the old one. Raises as `saved_port`."""
    port = free_port()
    keep(_file(var), str(port))
    return port


def free_port() -> int:
    """A port that is free on the loopback address now. Raises EmbeddedError where none is found."""
    for port in random.sample(_RANGE, _TRIES):
        if is_free(port):
            return port
    raise EmbeddedError(f"nenhuma porta livre entre {_TRIES} de {_RANGE.start} a {_RANGE.stop - 1}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _file(var: Path) -> Path:
    return var / "postgres-porta"
