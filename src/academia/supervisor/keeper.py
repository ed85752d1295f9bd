"""Keeps the embedded server up: a crashed one is started again, one stopped by command is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from academia.embedded import Cluster, EmbeddedError
from academia.settings import Settings
from academia.supervisor.say import say

FAST_SECONDS = 4.0
IMMEDIATE_SECONDS = 2.0
LOCK_SECONDS = 1.5


class Keeper:
    """Watches the embedded server of one `ACADEMIA_VAR`."""

    def __init__(self, settings: Settings, ending: Callable[[], bool]) -> None:
        self._cluster = Cluster(settings.var, settings.postgres_password)
        self._pause = settings.postgres_restart_seconds
        self._ending = ending
        self._down_since: float | None = None
        self._port: int | None = None
        self.moved = False
        """Whether the server came back on another port, which running processes do not know yet."""

    def start(self) -> bool:
        """Start or adopt the server; says why where that fails. Returns whether it runs."""
        try:
            server = self._cluster.start(self._ending)
        except (EmbeddedError, OSError) as error:
            if not self._ending():
                say(f"O PostgreSQL embutido não começou: {error}")
            self._down_since = time.monotonic()
            return False
        self._port = server.port
        return True

    def tick(self) -> None:
        """Start a server again that has been down for the set pause, unless it was stopped by command."""
        if self._cluster.status() is not None or self._cluster.stopped_by_command:
            self._down_since = None
            return
        now = time.monotonic()
        if self._down_since is None:
            self._down_since = now
            if self._pause > 0:
                say(f"O PostgreSQL embutido caiu; começa de novo em {self._pause:g} s. O cadastro continua.")
            else:
                say("O PostgreSQL embutido caiu e fica parado. O cadastro continua.")
        elif self._pause > 0 and now - self._down_since >= self._pause:
            self._start_again(now)

    def end(self) -> None:
        """Stop the server, whoever started it, also a frozen one."""
        try:
            self._cluster.stop(
                fast_seconds=FAST_SECONDS, immediate_seconds=IMMEDIATE_SECONDS, lock_seconds=LOCK_SECONDS
            )
        except EmbeddedError:
            self._cluster.stop_now(fast_seconds=FAST_SECONDS, immediate_seconds=IMMEDIATE_SECONDS)

    def _start_again(self, now: float) -> None:
        try:
            server = self._cluster.start_again(self._ending)
        except (EmbeddedError, OSError) as error:
            self._down_since = now
            if not self._ending():
                say(f"O PostgreSQL embutido não começou: {error}")
            return
        if server is not None:
            self._down_since = None
            self.moved = self.moved or server.port != self._port
            self._port = server.port
            say("O PostgreSQL embutido voltou.")
