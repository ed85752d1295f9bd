"""The running server, seen from outside: `postmaster.pid`, /proc and signals.

A process belongs to a cluster if it is PostgreSQL and works in its data folder. Its number alone proves
nothing: after a crash the number in `postmaster.pid` may be somebody else's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PID_LINE, _PORT_LINE, _STATE_LINE = 0, 3, 7
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Server:
    """A running server. `ready`: it accepts connections (a frozen one is still called ready)."""

    pid: int
    port: int | None
    ready: bool


def running(data: Path) -> Server | None:
    """The server of this data folder, or None. A stale `postmaster.pid` is no server."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = abs(int(lines[_PID_LINE]))
    except (OSError, ValueError, IndexError):
        return None
    if not belongs(pid, data):
        return None
    port = lines[_PORT_LINE].strip() if len(lines) > _PORT_LINE else ""
    state = lines[_STATE_LINE].strip() if len(lines) > _STATE_LINE else ""
    return Server(pid, int(port) if port.isdecimal() else None, state == "ready")


def belongs(pid: int, data: Path) -> bool:
    """Whether this process is PostgreSQL, alive, and works in this data folder."""
    process = Path("/proc", str(pid))
    try:
        # A process that ended but was not waited for has no working folder any more.
        return (process / "cwd").samefile(data) and (process / "comm").read_text().strip() == "postgres"
    except OSError:
        return False


def processes(data: Path) -> list[int]:
    """Every process of this data folder's server, also those that outlived their postmaster."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and belongs(int(entry.name), data)
    ]


def send(data: Path, number: signal.Signals, pids: list[int]) -> None:
    """Send a signal to those of `pids` that still belong to the server."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if belongs(pid, data):
                os.kill(pid, number)


def stop(data: Path, *, fast_seconds: float, immediate_seconds: float, reap: Callable[[], object]) -> None:
    """Stop the server and every process of it, also where some are frozen by SIGSTOP.

    First a fast shutdown (SIGINT), after `fast_seconds` an immediate one (SIGQUIT), after `immediate_seconds`
    more SIGKILL. `reap` is called while waiting, so that a child of ours is waited for.
    """
    for number, seconds in ((signal.SIGINT, fast_seconds), (signal.SIGQUIT, immediate_seconds)):
        server = running(data)
        if server is None:
            break
        send(data, number, [server.pid])
        # A frozen process acts on the signal only once it goes on.
        send(data, signal.SIGCONT, processes(data))
        if _gone(data, seconds, reap):
            return
    # What is left has lost its postmaster, or does not listen.
    for _ in range(100):
        left = processes(data)
        if not left:
            return
        send(data, signal.SIGKILL, left)
        if _gone(data, 0.1, reap):
            return


def _gone(data: Path, seconds: float, reap: Callable[[], object]) -> bool:
    """Wait until no process of the server is left, for `seconds` at most."""
    limit = time.monotonic() + seconds
    while True:
        reap()
        if running(data) is None and not processes(data):
            return True
        if time.monotonic() >= limit:
            return False
        time.sleep(_POLL_SECONDS)
