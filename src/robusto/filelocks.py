"""Kernel locks between threads and processes: open-file-description byte ranges.

Unlike plain POSIX locks they belong to an open file and not to the process: two threads exclude
each other, and another part of the program that opens and closes the same file drops nothing.
The kernel releases them when a process dies, at whatever instruction.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from robusto.deadline import Deadline
from robusto.errors import JournalMissing

#: linux/fcntl.h; Python 3.11's fcntl module has them, 64-bit offsets included, on Linux only.
_TRY, _WAIT = 37, 38
#: Bytes that ordering keys are spread over; two keys on one byte only wait for each other.
_RANGE = 1 << 62
#: Seconds between two looks at a lock that somebody else holds, growing.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.01


#: The turnstile's bytes.
_DOOR, _LOCK = 0, 1


def _flock(kind: int, start: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, 1, 0)


def _try(fd: int, kind: int, start: int) -> bool:
    try:
        fcntl.fcntl(fd, _TRY, _flock(kind, start))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


class KeyLocks:
    """A lock for each of unboundedly many keys, as bytes of one file.

    Waiting is by polling: order among those that wait at the same time is not promised to anybody.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[int] = []

    @contextmanager
    def hold(self, exclusive: Sequence[bytes], shared: Sequence[bytes], deadline: Deadline) -> Iterator[bool]:
        """Hold these digests; yields False when the deadline came first.

        Raises JournalMissing when the file of the locks cannot be opened.
        """
        wanted = {_place(digest): fcntl.F_RDLCK for digest in shared}
        wanted |= {_place(digest): fcntl.F_WRLCK for digest in exclusive}
        try:
            fd = self._take()
        except OSError as error:
            raise JournalMissing(f"{self._path}: {error.strerror}") from error
        try:  # always in the same order, so that two that want the same keys cannot embrace
            yield all(_poll(fd, kind, place, deadline) for place, kind in sorted(wanted.items()))
        finally:
            fcntl.fcntl(fd, _TRY, struct.pack("hhqqi4x", fcntl.F_UNLCK, os.SEEK_SET, 0, 0, 0))
            self._idle.append(fd)

    def _take(self) -> int:
        """A descriptor of its own for each holder: locks of one descriptor do not exclude each other."""
        try:
            return self._idle.pop()
        except IndexError:
            return _open(self._path)

    def close(self) -> None:
        """Give the descriptors back."""
        while self._idle:
            os.close(self._idle.pop())


def _place(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") % _RANGE


def _poll(fd: int, kind: int, place: int, deadline: Deadline) -> bool:
    pause = _FIRST_PAUSE
    while not _try(fd, kind, place):
        if deadline.expired:
            return False
        deadline.clock.sleep(min(pause, deadline.remaining()))
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True


class FairLock:
    """One lock between processes that nobody can hold twice while another waits.

    Two bytes make a turnstile: whoever waits for the lock (byte 1) stands in the door (byte 0), so
    the process that has just let go cannot slip in again. One thread of a process asks at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = _open(path)
        self._held: int | None = None
        self._waiter: _Waiter | None = None

    def acquire(self, deadline: Deadline) -> bool:
        """Take the lock, waiting until the deadline; says whether it was taken."""
        if _try(self._own, fcntl.F_WRLCK, _DOOR):
            taken = _try(self._own, fcntl.F_WRLCK, _LOCK)
            _try(self._own, fcntl.F_UNLCK, _DOOR)
            if taken:
                self._held = self._own
                return True
        self._held = self._wait(deadline)
        return self._held is not None

    def _wait(self, deadline: Deadline) -> int | None:
        """One waiter at a time stands in the queue for this process, whoever is asking."""
        while True:
            try:
                if self._waiter is None or self._waiter.done:
                    self._waiter = _Waiter(self._path)
            except (OSError, RuntimeError):  # no descriptor or no thread to be had
                return None
            held = self._waiter.wait(deadline)
            if held is not None or deadline.expired:
                return held
            deadline.clock.sleep(_FIRST_PAUSE)  # its turn came just when nobody asked: queue again

    def release(self) -> None:
        """Let the next one in."""
        held, self._held = self._held, None
        if held == self._own:
            _try(self._own, fcntl.F_UNLCK, _LOCK)
        elif held is not None:
            os.close(held)

    def close(self) -> None:
        """Give the descriptor back."""
        self.release()
        os.close(self._own)


class _Waiter:
    """Waits in the kernel, in a thread of its own, because such a wait knows no timeout.

    It has a descriptor of its own. If nobody asks any more when the lock is granted, closing that
    lets go of it at once.
    """

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        self._settled = threading.Condition()
        self._wanted, self._granted = True, False  # whoever made it is about to ask
        self.done = False
        try:
            threading.Thread(target=self._block, name="robusto-lock", daemon=True).start()
        except RuntimeError:
            os.close(self._fd)
            raise

    def wait(self, deadline: Deadline) -> int | None:
        """The descriptor that holds the lock, or None when the deadline came first."""
        with self._settled:
            self._wanted = True
            self._settled.wait_for(lambda: self.done, deadline.remaining())
            self._wanted = False
            granted, self._granted = self._granted, False
            return self._fd if granted else None

    def _block(self) -> None:
        locked = False
        with suppress(OSError):
            fcntl.fcntl(self._fd, _WAIT, _flock(fcntl.F_WRLCK, _DOOR))
            fcntl.fcntl(self._fd, _WAIT, _flock(fcntl.F_WRLCK, _LOCK))
            _try(self._fd, fcntl.F_UNLCK, _DOOR)
            locked = True
        with self._settled:
            self.done = True
            self._granted = locked and self._wanted
            if not self._granted:
                os.close(self._fd)
            self._settled.notify()
