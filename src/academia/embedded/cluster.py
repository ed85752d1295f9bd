"""The embedded server of one `ACADEMIA_VAR`: start, adopt, stop, status.

    absent --create--> stopped --start--> running --stop or crash--> stopped

Every change is made under a lock file, so that the supervisor and a command line take turns.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from academia.embedded import account, binaries, creation, postmaster
from academia.embedded.errors import EmbeddedError
from academia.embedded.port import HOST, choose_another_port, is_free, saved_port
from academia.embedded.postmaster import Server

READY_SECONDS = 600.0
"""Crash recovery may take minutes, and ends by itself."""
LOCK_SECONDS = 30.0
_LOG_BYTES = 5_000_000
_POLL_SECONDS = 0.02
#: Between a process's last word and its end.
_EXIT_SECONDS = 1.0


def _never() -> bool:
    return False


class Cluster:
    """One data folder and its server, whoever started it."""

    def __init__(self, var: Path, password: str, database: str = "academia") -> None:
        """var: the folder that holds `postgres/`, its log, port and lock. password: of the user postgres."""
        self.var = var
        self.data = var / "postgres"
        self.log = var / "postgres.log"
        self.database = database
        self._password = password
        self._stopped_by_command = var / "postgres.parado"
        self._child: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """libpq address of the database, whether or not the server runs. Raises OSError, EmbeddedError."""
        return f"postgresql://postgres:{self._password}@{HOST}:{saved_port(self.var)}/{self.database}"

    @property
    def exists(self) -> bool:
        """Whether the cluster was made."""
        return (self.data / "PG_VERSION").exists()

    @property
    def stopped_by_command(self) -> bool:
        """Whether the server is to stay down until it is started by command."""
        return self._stopped_by_command.exists()

    def status(self) -> Server | None:
        """The running server, or None."""
        self._reap()
        return postmaster.running(self.data)

    def start(self, cancelled: Callable[[], bool] = _never) -> Server:
        """Start the server, or adopt the one that runs; make the cluster the first time. Returns once ready.

        `cancelled` is asked while waiting. Raises EmbeddedError, one line, where the server cannot be had.
        """
        with self._locked(LOCK_SECONDS, cancelled):
            self._stopped_by_command.unlink(missing_ok=True)
            return self._start(cancelled)

    def start_again(self, cancelled: Callable[[], bool] = _never) -> Server | None:
        """As `start`, after a crash: returns None where the server was stopped by command meanwhile."""
        with self._locked(LOCK_SECONDS, cancelled):
            return None if self.stopped_by_command else self._start(cancelled)

    def stop(
        self,
        *,
        by_command: bool = False,
        fast_seconds: float = 10.0,
        immediate_seconds: float = 3.0,
        lock_seconds: float = LOCK_SECONDS,
    ) -> bool:
        """Stop the server, also a frozen one, and leave no process of it. Returns whether one ran.

        `by_command`: it stays down until `start`. A shutdown gets `fast_seconds`, then `immediate_seconds`,
        then the processes are killed. Raises EmbeddedError where somebody holds the lock for `lock_seconds`.
        """
        with self._locked(lock_seconds, _never):
            if by_command:
                self._stopped_by_command.touch()
            return self.stop_now(fast_seconds=fast_seconds, immediate_seconds=immediate_seconds)

    def stop_now(self, *, fast_seconds: float, immediate_seconds: float) -> bool:
        """As `stop`, without taking turns: for the end of everything, which waits for nobody."""
        ran = bool(postmaster.processes(self.data))
        postmaster.stop(
            self.data, fast_seconds=fast_seconds, immediate_seconds=immediate_seconds, reap=self._reap
        )
        self._reap(_EXIT_SECONDS)
        return ran

    def _start(self, cancelled: Callable[[], bool]) -> Server:
        try:
            server = self.status() or self._launch()
        except OSError as error:
            raise EmbeddedError(f"o servidor não pôde ser iniciado: {error}") from error
        return self._wait_until_ready(server, cancelled)

    def _launch(self) -> Server | None:
        found = binaries.find()
        as_whom = account.choose(found, self.var)
        if not self.exists:
            creation.create(self.data, as_whom, found.major, self._password, self.database)
        as_whom.own(self.data)
        # Processes that outlived their postmaster keep the shared memory: a new one would refuse to start.
        postmaster.stop(self.data, fast_seconds=0, immediate_seconds=0, reap=self._reap)
        self._reap(_EXIT_SECONDS)  # an earlier child of ours may only be about to end
        # What a killed postmaster left names a pid that may belong to somebody else by now.
        if not postmaster.processes(self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        port = saved_port(self.var)
        if not is_free(port):
            port = choose_another_port(self.var)
        creation.configure(self.data, as_whom, port)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("a") as log:
            self._child = as_whom.popen(
                "postgres", "-D", self.data, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return None

    def _wait_until_ready(self, server: Server | None, cancelled: Callable[[], bool]) -> Server:
        limit = time.monotonic() + READY_SECONDS
        while server is None or not server.ready:
            if cancelled():
                raise EmbeddedError("a partida foi cancelada")
            if time.monotonic() > limit:
                raise EmbeddedError(f"o servidor não ficou pronto em {READY_SECONDS:.0f} s: veja {self.log}")
            ended = self._child is None or self._child.poll() is not None
            server = postmaster.running(self.data)
            if server is None and ended:
                raise EmbeddedError(f"o servidor terminou ao começar: {self._last_words()} (veja {self.log})")
            time.sleep(_POLL_SECONDS)
        return server

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, IndexError):
            lines = self.log.read_text(errors="replace").splitlines()
            return next((line for line in reversed(lines) if "FATAL" in line), lines[-1])
        return "sem mensagem"

    def _reap(self, seconds: float = 0) -> None:
        """Wait for a child of ours that has ended, or is about to: it no longer counts as a process then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._child is not None:
                self._child.wait(seconds)
                self._child = None

    @contextlib.contextmanager
    def _locked(self, seconds: float, cancelled: Callable[[], bool]) -> Iterator[None]:
        limit = time.monotonic() + seconds
        with (self.var / "postgres.lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if cancelled() or time.monotonic() > limit:
                        raise EmbeddedError("outro processo está iniciando ou parando o servidor") from None
                    time.sleep(_POLL_SECONDS)
            yield
