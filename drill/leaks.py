"""What the app's processes hold open: threads, connections to PostgreSQL, file descriptors."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

from drill.processes import descendants

_ESTABLISHED = "01"
# Pools grow with use, and threads are made when they are first needed. What one fault in six leaves behind
# is more than this after a hundred.
_SLACK = 16


@dataclass(frozen=True)
class Held:
    """What is held; of several processes, by the one that holds most."""

    processes: int = 0
    threads: int = 0
    connections: int = 0
    descriptors: int = 0

    def __str__(self) -> str:
        return (
            f"{self.processes} processes; the fullest has {self.threads} threads, "
            f"{self.connections} connections, {self.descriptors} descriptors"
        )


def held(pid: int, port: int) -> Held:
    """What the process and all below it hold now; connections are those to this port of PostgreSQL."""
    family = [pid, *descendants(pid)]
    sockets = _sockets(port)
    each = [_of(member, sockets) for member in family]
    return Held(
        len(family),
        max(held.threads for held in each),
        max(held.connections for held in each),
        max(held.descriptors for held in each),
    )


def leaks(before: Held, after: Held) -> list[str]:
    """What has grown more than use explains."""
    return [
        f"{name.name} of one process grew from {old} to {new}"
        for name in fields(Held)
        if (new := getattr(after, name.name)) > (old := getattr(before, name.name)) + _SLACK
    ]


def _of(pid: int, sockets: set[str]) -> Held:
    # A process may end while it is looked at: then it holds nothing.
    with contextlib.suppress(OSError):
        folder = Path(f"/proc/{pid}/fd")
        names = []
        for descriptor in os.listdir(folder):
            with contextlib.suppress(OSError):
                names.append(os.readlink(folder / descriptor))
        threads = len(os.listdir(f"/proc/{pid}/task"))
        return Held(1, threads, sum(name in sockets for name in names), len(names))
    return Held()


def _sockets(port: int) -> set[str]:
    """The sockets, as /proc names them, that are connected to this port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    columns = (line.split() for line in lines)
    return {
        f"socket:[{each[9]}]"
        for each in columns
        if each[3] == _ESTABLISHED and int(each[2].rpartition(":")[2], 16) == port
    }
