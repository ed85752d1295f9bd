"""The engine's ways out of its memory, each a step of the scheduler and shut for the dead.

Stand-ins for the modules that the engine takes threads, locks, files and time from: what they do
not control goes to the real one.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from robusto import engine, filelocks, gate, lease, local, retry, shared, worker
from robusto.errors import JournalError
from robusto.journal import file, group, opening, side
from robusto.postgres import pool
from robusto.watch import activity, backlog
from tests.simulation.scheduler import Killed, Process, Scheduler
from tests.simulation.threads import Threads

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
#: linux/fcntl.h: take an open-file-description lock, waiting for it.
_WAIT = 38

#: Asked at every turn of a journal file: raises what is to go wrong; "kept" or "lost" for a flush.
JournalFault = Callable[[file.File], str | None]


class SimClock:
    """The clocks of one host."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.jumped = 0.0

    def monotonic(self) -> float:
        return self._scheduler.now

    def wall(self) -> datetime:
        return _START + timedelta(seconds=self._scheduler.now + self.jumped)

    def sleep(self, seconds: float) -> None:
        self._scheduler.sleep(seconds)


class Files:
    """`os` and `fcntl` for locks and shared records: descriptors are returned when their process dies."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owners: dict[int, Process] = {}

    def open(self, *args: Any, **kwargs: Any) -> int:
        task = self._scheduler.current
        self._scheduler.point("open")
        fd = os.open(*args, **kwargs)
        if task is not None:
            process = task.process
            self._owners[fd] = process
            process.leaves.append(lambda: self._leave(fd, process))
        return fd

    def _leave(self, fd: int, process: Process) -> None:
        if self._owners.get(fd) is process:
            self._close(fd)

    def _close(self, fd: int) -> None:
        self._owners.pop(fd, None)
        with suppress(OSError):
            os.close(fd)

    def close(self, fd: int) -> None:
        self._scheduler.point("close")
        if self._owners.get(fd) is not None:
            self._close(fd)

    def close_all(self) -> None:
        for fd in list(self._owners):
            self._close(fd)

    def pread(self, fd: int, size: int, at: int) -> bytes:
        self._scheduler.point("read record")
        return os.pread(fd, size, at)

    def pwrite(self, fd: int, data: bytes, at: int) -> int:
        self._scheduler.point("write record")
        return os.pwrite(fd, data, at)

    def flock(self, fd: int, how: int) -> None:
        self._scheduler.point("lock record" if how != fcntl.LOCK_UN else "unlock record")
        fcntl.flock(fd, how)

    def fcntl(self, fd: int, command: int, argument: bytes) -> bytes | int:
        if command == _WAIT:
            self._scheduler.point("wait for lock")
            self._scheduler.wait(lambda: _granted(fd, argument), None)
            return argument
        self._scheduler.point("lock")
        return fcntl.fcntl(fd, command, argument)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name) if hasattr(os, name) else getattr(fcntl, name)


def _granted(fd: int, argument: bytes) -> bool:
    try:
        fcntl.fcntl(fd, _WAIT - 1, argument)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


class Databases:
    """SQLite files: turns are steps, faults come in here, connections of the dead are closed."""

    def __init__(self, scheduler: Scheduler, fault: JournalFault) -> None:
        self._scheduler = scheduler
        self._fault = fault
        self._connect = local.connect
        self._transaction = file.File.transaction
        self._reading = file.File.reading
        self._init = file.File.__init__
        self._inside: dict[str, Process] = {}
        self._opened: list[local.Connection] = []

    def connect(self, path: Any, **how: Any) -> local.Connection:
        task = self._scheduler.current
        if task is not None and not task.process.alive:
            raise Killed
        db = self._connect(path, **how)
        self._opened.append(db)
        if task is not None:
            task.process.leaves.append(lambda: db.close(True))
        return db

    def close_all(self) -> None:
        for db in self._opened:
            db.close(True)

    def opened(self, made: file.File, path: Any, *args: Any, **kwargs: Any) -> None:
        """Opening takes SQLite's own lock for an instant: nobody may stand inside a transaction then."""
        self._scheduler.point(f"open {path.name.partition('-')[0]}")
        if self._scheduler.current is not None:
            self._scheduler.wait(lambda: self._free(str(path)), 30)
        self._init(made, path, *args, **kwargs)

    def _free(self, path: str) -> bool:
        inside = self._inside.get(path)
        return inside is None or not inside.alive

    @contextmanager
    def transaction(self, where: file.File, deadline: Any) -> Iterator[local.Connection]:
        name, path = where.path.name.partition("-")[0], str(where.path)
        journal = name == "journal"
        self._scheduler.point(f"{name}: turn")
        task = self._scheduler.current
        kept = None
        with self._transaction(where, deadline) as db:
            if task is not None and journal:
                self._inside[path] = task.process
                try:
                    self._scheduler.point("journal: begun")
                    kept = self._fault(where)
                    yield db
                    self._scheduler.point("journal: about to commit")
                finally:
                    self._inside.pop(path, None)
                if kept == "lost":
                    self._break(where)
            else:
                self._fault(where)
                yield db
        if kept == "kept":
            self._break(where)
        self._scheduler.point(f"{name}: committed")

    def _break(self, where: file.File) -> None:
        where._broken = "the disk failed"
        raise JournalError("the disk failed: flush", maybe_written=True)

    @contextmanager
    def reading(self, where: file.File) -> Iterator[local.Connection]:
        self._scheduler.point(f"{where.path.name.partition('-')[0]}: read")
        with self._reading(where) as db:
            yield db


@contextmanager
def simulated(scheduler: Scheduler, fault: JournalFault) -> Iterator[None]:
    """The engine's modules see the scheduler's ports during the block."""
    threads, files, databases = Threads(scheduler), Files(scheduler), Databases(scheduler, fault)
    time = SimpleNamespace(monotonic=lambda: scheduler.now, sleep=scheduler.sleep)
    dice = SimpleNamespace(uniform=scheduler.random.uniform)
    system = SimpleNamespace(register_at_fork=lambda **_: None)
    lease_os = SimpleNamespace(getpid=lambda: _pid(scheduler))
    started = {True: "since then", False: ""}
    changes: list[tuple[Any, str, Any]] = [
        *((module, "threading", threads) for module in (
            filelocks, shared, group, file, opening, side, worker, gate, engine, pool, backlog,
        )),
        (filelocks, "os", files), (filelocks, "fcntl", files), (shared, "os", files),
        (shared, "fcntl", files), (shared, "time", time), (retry, "random", dice), (engine, "os", system),
        (lease, "os", lease_os), (lease, "_started", lambda pid: started[scheduler.lives(pid)]),
        (lease, "_namespace", lambda: "one"),
        (lease, "_boot", lambda: "boot"), (local, "connect", databases.connect),
        (file.File, "__init__", lambda *a, **k: databases.opened(*a, **k)),
        (file.File, "transaction", lambda *a: databases.transaction(*a)),
        (file.File, "reading", lambda *a: databases.reading(*a)),
        (activity.Activity, "open", lambda self: None), (activity.Activity, "__call__", lambda *_: None),
        (activity.Activity, "close", lambda self: None),
    ]  # fmt: skip
    before = [(where, name, vars(where)[name]) for where, name, _ in changes]
    for where, name, value in changes:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in reversed(before):
            setattr(where, name, value)
        databases.close_all()
        files.close_all()


def _pid(scheduler: Scheduler) -> int:
    return 0 if scheduler.current is None else scheduler.current.process.number
