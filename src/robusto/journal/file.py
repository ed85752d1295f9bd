"""One open journal file in this process: its connections, its identity, its transactions."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from robusto import local
from robusto.deadline import Deadline
from robusto.errors import JournalBusy, JournalError, JournalFull, JournalMissing, JournalUnreadable
from robusto.filelocks import FairLock

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Room that is given up when the disk is full, so that marks and deletes still work.
RESERVE_BYTES = 1 << 20
#: Bytes that are read and written at a time.
_CHUNK = 1 << 20


class Superseded(JournalError):
    """Another file counts since this one was opened. Nothing was written."""


class File:
    """A SQLite file that several processes write, one transaction after the other, in fair turns.

    Reads have connections of their own and wait for nobody. Every failure leaves as a JournalError.
    """

    def __init__(
        self, path: Path, lock: Path, *, flush: bool, current: Callable[[], bool] = lambda: True
    ) -> None:
        """`current` says, inside a turn, whether this is still the file that counts."""
        self.path = path
        self._flush = flush
        self._current = current
        self._mutex = threading.Lock()
        try:
            self._turn = FairLock(lock)
        except OSError as error:
            raise JournalMissing(f"{lock}: {error.strerror}") from error
        self._reserve = path.with_suffix(".reserve")
        self._idle: list[local.Connection] = []
        self._broken: str | None = None
        try:
            self._writer = local.connect(path, flush=flush, create=False)
            self._writer.execute("BEGIN IMMEDIATE")
            if flush:
                _flush_again(Path(f"{path}-wal"))
            self._writer.execute("COMMIT")
            self._identity = self._on_disk()
        except local.SQLiteError as error:
            self._turn.close()
            raise _translated(error, None, committing=False) from error
        except OSError as error:
            self.close()
            raise JournalError(f"{path.name}-wal cannot be flushed: {error.strerror}") from error
        if not self._identity:
            self.close()
            raise JournalMissing(f"{path} was removed while it was opened")

    @contextmanager
    def transaction(self, deadline: Deadline) -> Iterator[local.Connection]:
        """A write transaction, flushed when the block has ended without an error.

        Raises JournalBusy, JournalFull (certainly nothing written), JournalMissing, and JournalError
        with `maybe_written` when the flush itself failed: this file then takes no more writes.
        """
        if not self._mutex.acquire(timeout=deadline.remaining()):
            raise JournalBusy("the journal was busy in this process until the deadline")
        try:
            if not self._turn.acquire(deadline):
                raise JournalBusy("another process held the journal until the deadline")
            try:
                if not self._current():
                    raise Superseded("another journal file was published")
                with self._guarded(deadline) as db:
                    yield db
            finally:
                self._turn.release()
        finally:
            self._mutex.release()

    @contextmanager
    def _guarded(self, deadline: Deadline) -> Iterator[local.Connection]:
        if self._broken:
            raise JournalError(self._broken)
        db, committing = self._writer, False
        db.set_busy_timeout(max(1, int(deadline.remaining() * 1000)))
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            committing = True
            db.execute("COMMIT")
        except local.SQLiteError as error:
            raise self._failed(error, committing) from error
        finally:
            if db.in_transaction:
                with suppress(local.SQLiteError):
                    db.execute("ROLLBACK")
        if self._flush and self._on_disk() != self._identity:
            self._broken = "the journal's file was removed or replaced while it was open"
            raise JournalMissing(self._broken, maybe_written=True)

    def _failed(self, error: local.SQLiteError, committing: bool) -> JournalError:
        translated = _translated(error, self._writer, committing=committing)
        if isinstance(translated, JournalFull):
            with suppress(OSError):  # nothing pending may be stuck for want of room for its mark
                self._reserve.unlink()
        elif isinstance(error, (local.IOFailure, *local.Corrupt)):
            self._broken = str(translated)
        return translated

    def _on_disk(self) -> tuple[int, ...]:
        """Device and inode of the file and its WAL: appends into an unlinked file succeed!"""
        try:
            found = [os.stat(self.path), os.stat(f"{self.path}-wal")]
        except OSError:
            return ()
        return tuple(number for stat in found for number in (stat.st_dev, stat.st_ino))

    @contextmanager
    def reading(self) -> Iterator[local.Connection]:
        """A connection to read with; waits for no writer. Raises JournalError."""
        try:
            db = self._take()
        except local.SQLiteError as error:
            raise _translated(error, None, committing=False) from error
        try:
            yield db
        except local.SQLiteError as error:
            raise self._failed(error, committing=False) from error
        finally:
            self._idle.append(db)

    def _take(self) -> local.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return local.connect(self.path, flush=self._flush, create=False)

    @property
    def broken(self) -> bool:
        """Whether this file takes no more writes; another generation has to be published."""
        return self._broken is not None

    def keep_reserve(self) -> bool:
        """Set room aside, unless it is there already; says whether it is."""
        if self._reserve.exists():
            return True
        with suppress(OSError):
            fd = os.open(self._reserve, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, RESERVE_BYTES)
            except OSError:
                self._reserve.unlink()
                raise
            finally:
                os.close(fd)
            return True
        return False

    def close(self) -> None:
        """Close every connection."""
        self._turn.close()
        while self._idle:
            self._idle.pop().close()
        self._writer.close()


def _flush_again(wal: Path) -> None:
    """Write what the WAL holds once more, and flush it. No other writer may be at it meanwhile.

    A flush that failed leaves its pages in memory, marked as clean: until the power is cut everybody
    reads them, no later flush writes them, and what is appended behind them would be lost with them.
    Closing the WAL drops no locks: SQLite has none on it.
    """
    fd = os.open(wal, os.O_RDWR | os.O_CLOEXEC)
    try:
        offset = 0
        while held := os.pread(fd, _CHUNK, offset):
            offset += os.pwrite(fd, held, offset)
        os.fsync(fd)
    finally:
        os.close(fd)


def _translated(error: local.SQLiteError, db: local.Connection | None, *, committing: bool) -> JournalError:
    if isinstance(error, local.Full):
        return JournalFull("the disk is full or the journal reached its size limit")
    if isinstance(error, local.Busy):
        return JournalBusy("the journal was locked by another program until the deadline")
    if isinstance(error, local.Corrupt):
        return JournalUnreadable(f"the journal is damaged: {error}")
    if isinstance(error, local.CantOpen):
        return JournalMissing(f"the journal cannot be opened: {error}")
    if isinstance(error, local.IOFailure):
        # A write that found no room leaves the commit record incomplete: certainly not kept.
        # Said by the flush itself (delayed allocation) it may be complete: that is unknown.
        flushing = getattr(error, "extendedresult", 0) == local.FLUSH_FAILED
        if db is not None and db.system_errno in _NO_ROOM and not flushing:
            return JournalFull("the disk is full or the file reached the size allowed to it")
        return JournalError(f"the disk failed: {error}", maybe_written=committing)
    return JournalError(f"the journal failed: {error}", maybe_written=committing)
