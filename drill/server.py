"""The PostgreSQL that the drill hurts: an embedded one of its own, in a temporary folder, on loopback."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from academia.embedded import Cluster
from academia.embedded.postmaster import processes
from drill.processes import children, send, wait_until

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

DATABASE = "academia"
_FAST_SECONDS, _DEAD_SECONDS, _CONNECT_SECONDS, _PATIENCE_SECONDS = 30.0, 5.0, 10, 30.0
# Whoever undoes a fault must not be caught in it.
_OPTIONS = "-c default_transaction_read_only=off -c synchronous_commit=local"


class PostgreSQL:
    """Starts and stops the cluster; whoever hurts it asks for `postmaster` and `family()`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.password = secrets.token_urlsafe(16)
        self._cluster = Cluster(folder, self.password, DATABASE)
        self._copy = folder / "copy"
        self.log = self._cluster.log
        self.port = 0

    def address(self, port: int = 0) -> str:
        """The libpq address, directly or by the port of a proxy."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{port or self.port}/{DATABASE}"

    def connect(self, patience: float = _PATIENCE_SECONDS) -> Connection:
        """A connection past the proxy, in autocommit; an earlier fault may still be recovered from.

        Raises psycopg.OperationalError when that takes longer than `patience`, in seconds.
        """
        end = time.monotonic() + patience
        while True:
            try:
                return psycopg.connect(
                    self.address(), connect_timeout=_CONNECT_SECONDS, autocommit=True, options=_OPTIONS
                )
            except psycopg.OperationalError:
                if time.monotonic() >= end:
                    raise
                time.sleep(0.05)

    @property
    def postmaster(self) -> int:
        """The pid of the postmaster; 0 while there is none."""
        running = self._cluster.status()
        return running.pid if running else 0

    def family(self) -> list[int]:
        """The postmaster and all its children."""
        postmaster = self.postmaster
        return [postmaster, *children(postmaster)] if postmaster else []

    def start(self) -> None:
        """Start (making the cluster the first time), and return once connections are taken."""
        self.port = self._cluster.start().port or 0

    def stop(self, how: signal.Signals) -> None:
        """End the postmaster (SIGINT fast, SIGQUIT immediate, SIGKILL) and leave nobody of it."""
        if postmaster := self.postmaster:
            send([postmaster], how)
            wait_until(lambda: not self.postmaster, _FAST_SECONDS)
        wait_until(lambda: not processes(self._cluster.data), _DEAD_SECONDS)
        self._cluster.stop_now(fast_seconds=0.0, immediate_seconds=0.0)

    def keep_copy(self) -> None:
        """Copy the folder of the stopped cluster, in place of the last copy."""
        scratch = self._copy.with_name("copy.new")
        shutil.copytree(self._cluster.data, scratch, symlinks=True)
        shutil.rmtree(self._copy, ignore_errors=True)
        scratch.rename(self._copy)

    def put_copy_back(self) -> None:
        """Let the stopped cluster be what it was when it was copied."""
        shutil.rmtree(self._cluster.data)
        shutil.copytree(self._copy, self._cluster.data, symlinks=True)

    def close(self) -> None:
        """Stop at the end of the drill, whatever state a fault left it in."""
        send(processes(self._cluster.data), signal.SIGCONT)
        self._cluster.stop(fast_seconds=5.0)
