"""Small facts that the processes of a host share: one record of fixed size in a file.

Written in place, so that it needs no room on a full disk, and never flushed: after a power cut it
is merely unknown. A record carries a checksum; a torn or foreign one reads as None.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_SIZE = 1024
#: Seconds to wait for another process's update, which takes microseconds, and between two looks.
_PATIENCE, _PAUSE = 0.05, 0.001

Record = dict[str, Any]


class SharedRecord:
    """One JSON object, read by everybody and changed by one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._fd: int | None = None
        self._alone: Record | None = None

    def read(self) -> Record | None:
        """The record, or None when there is none yet. Costs one system call."""
        try:
            raw = os.pread(self._descriptor(), _SIZE, 0)
        except OSError:  # without the file this process still knows what it found out itself
            return self._alone
        return _decoded(raw) or self._alone

    def update(self, change: Callable[[Record | None], Record | None]) -> Record | None:
        """Apply `change` to the record while nobody else does; None keeps it. Returns what stands then.

        Somebody who was stopped in the middle of an update is not waited for: the record is only
        a finding, and the last one who writes it is right enough.
        """
        with self._mutex:
            fd = self._locked()
            try:
                now = self.read()
                changed = change(now)
                if changed is None:
                    return now
                self._alone = changed
                with suppress(OSError):
                    os.pwrite(self._descriptor(), _encoded(changed), 0)
                return changed
            finally:
                if fd is not None:
                    fcntl.flock(fd, fcntl.LOCK_UN)

    def _locked(self) -> int | None:
        """The locked descriptor, or None when it cannot be had in time."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fd = self._descriptor()
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return fd
            except BlockingIOError:
                if time.monotonic() > until:
                    return None
                time.sleep(_PAUSE)
            except OSError:
                return None

    def _descriptor(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _encoded(record: Record) -> bytes:
    body = json.dumps(record, separators=(",", ":")).encode()
    raw = zlib.crc32(body).to_bytes(4, "big") + len(body).to_bytes(4, "big") + body
    if len(raw) > _SIZE:
        raise ValueError(f"a shared record holds at most {_SIZE - 8} bytes")
    return raw.ljust(_SIZE, b"\x00")


def _decoded(raw: bytes) -> Record | None:
    body = raw[8 : 8 + int.from_bytes(raw[4:8], "big")]
    # Zeros, as a power cut leaves them, have the right checksum: nothing's checksum is nothing.
    if len(raw) < _SIZE or not body or zlib.crc32(body) != int.from_bytes(raw[:4], "big"):
        return None
    try:
        record = json.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
