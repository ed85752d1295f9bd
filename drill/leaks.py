"""What the app's processes hold open: threads, connections to PostgreSQL, file descriptors."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from drill import plan
from drill.api import Api
from drill.history import History, Kind, Write
from drill.processes import descendants
from drill.sender import Sender

_ESTABLISHED = "01"
# Every thread of every worker is in use at once: threads, and what each of them opens for itself, are made
# when they are first needed, and that is no leak.
_CALLERS, _ROUNDS, _NUMBERS, _SECONDS = 64, 3, 90_000, 30.0
# What one fault in six leaves behind is more than this after a hundred.
_SLACK = 16


@dataclass(frozen=True)
class Held:
    """What is held; of several processes, by the one that holds most."""

    processes: int = 0
    threads: int = 0
    connections: int = 0
    descriptors: int = 0
    files: dict[str, int] = field(default_factory=dict)
    """What the descriptors lead to, by name."""

    def __str__(self) -> str:
        return (
            f"{self.processes} processes; the fullest has {self.threads} threads, "
            f"{self.connections} connections, {self.descriptors} descriptors"
        )


def warm_up(api: Api, history: History, seed: int) -> None:
    """Let the app open all that it opens in common use, so that what it holds can be compared.

    The students that are sent are doomed: they leave nothing behind.
    """
    sender = Sender(api, history, lambda: False)

    def use(number: int) -> None:
        body = plan.student(plan.extra_doomed(_NUMBERS + number))
        write = Write(f"drill-{seed}-w-{number}", Kind.REGISTER, body["nome"], body=body, doomed=True)
        sender.deliver(history.begin(write), _SECONDS)
        api.search(write.nome)
        api.state(str(uuid4()))
        api.status()

    with ThreadPoolExecutor(_CALLERS) as pool:
        list(pool.map(use, range(_ROUNDS * _CALLERS)))


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
        max(each, key=lambda held: held.descriptors).files,
    )


def leaks(before: Held, after: Held) -> list[str]:
    """What has grown more than use explains."""
    found = []
    for what in ("processes", "threads", "connections", "descriptors"):
        old, new = getattr(before, what), getattr(after, what)
        if new > old + _SLACK:
            found.append(f"{what} grew from {old} to {new}")
    if after.descriptors > before.descriptors + _SLACK:
        more = Counter(after.files) - Counter(before.files)
        found.append("more descriptors: " + ", ".join(f"{n} {name}" for name, n in more.most_common()))
    return found


def _of(pid: int, sockets: set[str]) -> Held:
    # A process may end while it is looked at: then it holds nothing.
    with contextlib.suppress(OSError):
        folder = Path(f"/proc/{pid}/fd")
        names = []
        for descriptor in os.listdir(folder):
            with contextlib.suppress(OSError):
                names.append(os.readlink(folder / descriptor))
        threads = len(os.listdir(f"/proc/{pid}/task"))
        files = Counter(_kind(name) for name in names)
        return Held(1, threads, sum(name in sockets for name in names), len(names), dict(files))
    return Held()


def _kind(name: str) -> str:
    return name.partition(":")[0] if name.startswith(("socket:", "pipe:")) else name.rpartition("/")[2]


def _sockets(port: int) -> set[str]:
    """The sockets, as /proc names them, that are connected to this port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    columns = (line.split() for line in lines)
    return {
        f"socket:[{each[9]}]"
        for each in columns
        if each[3] == _ESTABLISHED and int(each[2].rpartition(":")[2], 16) == port
    }
