"""gunicorn: started on a port that is bound first, started again when its master dies, ended gently."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from academia.settings import Settings
from academia.supervisor.ending import ends_with
from academia.supervisor.say import say

GRACEFUL_SECONDS = 10
THREADS = 8
_BOOT_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
_ORPHAN_SECONDS = 2.0
_MEMORY = Path("/dev/shm")


class CannotServe(RuntimeError):
    """The app failed at its very first start: starting it again would not help."""


def bind(host: str, port: int) -> socket.socket:
    """Bind the address without listening: connections are refused until gunicorn serves.

    Raises OSError where somebody else listens there, or this machine does not have the address.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


class Web:
    """The web server of this app. Every gunicorn gets the same socket: a restart refuses nobody."""

    def __init__(self, settings: Settings, bound: socket.socket, app: str) -> None:
        self._settings = settings
        self._socket = bound
        self._app = app
        self._master: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._started = 0.0
        self._not_before = 0.0

    @property
    def serves(self) -> bool:
        """Whether gunicorn listens."""
        return self._master is not None and bool(
            self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        )

    def tick(self) -> None:
        """Start gunicorn where it does not run. Raises CannotServe where its first start failed."""
        if self._master is None:
            if time.monotonic() >= self._not_before:
                self._master = self._start()
                self._starts += 1
                self._started = time.monotonic()
            return
        code = self._master.poll()
        if code is None:
            return
        _end_group(self._master.pid, _ORPHAN_SECONDS)
        self._master = None
        # gunicorn says 3 or 4 where the app cannot start, or 1 where a second worker fails while it ends.
        if code > 0 and self._starts == 1 and time.monotonic() - self._started < _BOOT_SECONDS:
            raise CannotServe("a aplicação não pôde começar; o motivo está nas linhas acima")
        say(f"O servidor web terminou (saída {code}); começa de novo em {_PAUSE_SECONDS:.0f} s.")
        self._not_before = time.monotonic() + _PAUSE_SECONDS

    def end(self) -> None:
        """Let the running requests end, for GRACEFUL_SECONDS at most; then nothing of it is left."""
        self._socket.close()
        self.end_workers()

    def end_workers(self) -> None:
        """As `end`, but the port stays ours: the next `tick` starts gunicorn again."""
        master, self._master = self._master, None
        if master is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(master.pid, signal.SIGCONT)  # also where somebody froze it
        master.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            master.wait(GRACEFUL_SECONDS + 1)
        _end_group(master.pid, 0)
        master.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self._socket.fileno()
        settings = self._settings
        command = [
            sys.executable, "-m", "gunicorn", self._app,
            "--bind", f"fd://{descriptor}",
            "--worker-class", "gthread",
            "--workers", str(settings.web_concurrency),
            "--threads", str(THREADS),
            "--graceful-timeout", str(GRACEFUL_SECONDS),
            "--config", "python:academia.supervisor.web_log",
            "--log-level", "warning",
            "--no-control-socket",
            # The workers' heartbeat must not wait for a disk that is full or slow.
            *(("--worker-tmp-dir", str(_MEMORY)) if os.access(_MEMORY, os.W_OK) else ()),
        ]  # fmt: skip
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=[descriptor],
            env=os.environ | {"ACADEMIA_VAR": str(settings.var)},
            start_new_session=True,
            preexec_fn=ends_with(os.getpid()),
        )


def _end_group(group: int, seconds: float) -> None:
    """End the workers that outlived their master: gently for `seconds`, then at once."""
    limit = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < limit:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
