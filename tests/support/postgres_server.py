"""A real PostgreSQL of the tests' own, which they may stop, kill and freeze."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg

from academia.embedded import Cluster, postmaster


class PostgresServer:
    """The session's server. Whatever a test did to it, `restore` makes it answer again."""

    def __init__(self, var: Path) -> None:
        self.cluster = Cluster(var, secrets.token_urlsafe(16))
        self._frozen: list[int] = []

    @property
    def dsn(self) -> str:
        """Of the server's own database; a test gets a database of its own from the fixture `database`."""
        return self.cluster.url

    @property
    def pid(self) -> int:
        """The postmaster's."""
        server = self.cluster.status()
        assert server is not None, "the server does not run"
        return server.pid

    @property
    def port(self) -> int:
        """The server's port: it stays the same over restarts."""
        server = self.cluster.status()
        assert server is not None and server.port is not None, "the server does not run"
        return server.port

    def start(self) -> None:
        self.cluster.start()

    def stop(self) -> None:
        """A clean, fast shutdown."""
        self.cluster.stop()

    def kill(self) -> None:
        """`kill -9` of the postmaster and all its processes; returns once they are gone."""
        while pids := postmaster.processes(self.cluster.data):
            postmaster.send(self.cluster.data, signal.SIGKILL, pids)
            self.cluster.status()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._frozen = postmaster.processes(self.cluster.data)
        # The postmaster first: else it could start a process that is not frozen.
        for pid in sorted(self._frozen, key=lambda pid: pid != self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        postmaster.send(self.cluster.data, signal.SIGCONT, self._frozen)
        self._frozen = []

    def restore(self) -> None:
        """Make the server answer, whether it is frozen, stopped or killed."""
        self.thaw()
        self.start()

    @contextlib.contextmanager
    def new_database(self) -> Iterator[str]:
        """The address of a new, empty database, dropped at the end."""
        name = f"t_{secrets.token_hex(6)}"
        self.restore()
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield self.dsn.rpartition("/")[0] + f"/{name}"
        finally:
            self.restore()
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)
