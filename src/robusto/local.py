"""The one place that opens SQLite.

apsw brings its own, current SQLite: those of Debian 12 and of most Pythons lie in the range
(3.7.0 to 3.51.2) of the WAL-reset bug, which corrupts a file that several workers share. Every file
carries page checksums (cksumvfs), so that a flipped bit is an error and never an answer.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import apsw
import apsw.sqlite_extra

#: Bytes that cksumvfs keeps at the end of each page.
_CHECKSUM_BYTES = 8
#: Pages of 4 KiB in the WAL before it is folded back: 1 MiB, so that a damaged tail is short.
_CHECKPOINT_PAGES = 256

Connection = apsw.Connection
SQLiteError = apsw.Error
IOFailure = apsw.IOError
Full = apsw.FullError
CantOpen = apsw.CantOpenError
Busy = apsw.BusyError
Corrupt = (apsw.CorruptError, apsw.NotADBError)
#: The extended result of a flush that failed.
FLUSH_FAILED = apsw.SQLITE_IOERR_FSYNC

_checksums = threading.Lock()


def connect(path: Path, *, flush: bool, create: bool = True, busy_seconds: float = 2.0) -> Connection:
    """Open a file in WAL mode, made with mode 0600 and page checksums when it is new.

    flush: every commit is on the disk before it returns (synchronous FULL); otherwise a commit
    survives the death of the process but not a power cut. Raises SQLiteError.
    """
    _register_checksums()
    if create:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise CantOpen(f"{path.name}: {error.strerror}") from error
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    db = apsw.Connection(str(path), flags=flags, vfs="cksmvfs")
    db.set_busy_timeout(int(busy_seconds * 1000))
    if db.reserve_bytes() != _CHECKSUM_BYTES:  # only a file without pages yet can be given them
        db.reserve_bytes(reserve=_CHECKSUM_BYTES)
    db.pragma("journal_mode", "wal")
    # The WAL stays when the last connection closes: its inode is part of the file's identity.
    _persist_wal(db)
    db.pragma("synchronous", "full" if flush else "normal")
    db.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
    return db


def used_bytes(db: Connection) -> int:
    """The size of a file's pages that hold something."""
    return int(db.pragma("page_size")) * (int(db.pragma("page_count")) - int(db.pragma("freelist_count")))


def free_bytes(db: Connection) -> int:
    """The size of a file's pages that hold nothing any more."""
    return int(db.pragma("page_size")) * int(db.pragma("freelist_count"))


def _register_checksums() -> None:
    """Make the VFS known to this process; it must be loaded through some connection."""
    with _checksums:
        if "cksmvfs" not in apsw.vfs_names():
            db = apsw.Connection(":memory:")
            apsw.sqlite_extra.load(db, "cksumvfs")
            db.close()


def _persist_wal(db: Connection) -> None:
    on = ctypes.c_int(1)
    db.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(on))
