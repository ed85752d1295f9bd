"""The PostgreSQL that the drill hurts: an embedded one of its own, in a temporary folder, on loopback."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path

from academia.embedded import Cluster
from academia.embedded.postmaster import processes
from drill.processes import children, send, wait_until

DATABASE = "academia"
_FAST_SECONDS, _DEAD_SECONDS = 30.0, 5.0


class PostgreSQL:
    """Starts and stops the cluster; whoever hurts it asks for `postmaster` and `family()`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._password = secrets.token_urlsafe(16)
        self._cluster = Cluster(folder, self._password, DATABASE)
        self.log = self._cluster.log
        self.port = 0

    def address(self, port: int = 0) -> str:
        """The libpq address, directly or by the port of a proxy."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{port or self.port}/{DATABASE}"

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

    def close(self) -> None:
        """Stop at the end of the drill, whatever state a fault left it in."""
        send(processes(self._cluster.data), signal.SIGCONT)
        self._cluster.stop(fast_seconds=5.0)
