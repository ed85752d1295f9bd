"""SQLite's own way to the disk, with a turnstile in it: for child processes only, it cannot be taken out.

The functions of the VFS `unix` and of every file that it opens are replaced in place, so that
whatever lies above it (the page checksums) is left as it is. A VFS written with apsw's classes would
not do: it turns an error code that SQLite means to overlook, such as a checkpoint's, into an exception.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import apsw

_P, _INT, _I64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_PATH = ctypes.c_char_p

_CLOSE = ctypes.CFUNCTYPE(_INT, _P)
_READ = ctypes.CFUNCTYPE(_INT, _P, _P, _INT, _I64)  # xWrite too
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _P, _I64)
_SYNC = ctypes.CFUNCTYPE(_INT, _P, _INT)
_SHM_MAP = ctypes.CFUNCTYPE(_INT, _P, _INT, _INT, _INT, _P)
_OPEN = ctypes.CFUNCTYPE(_INT, _P, _P, _P, _INT, _P)
_DELETE = ctypes.CFUNCTYPE(_INT, _P, _PATH, _INT)
_LAST_ERROR = ctypes.CFUNCTYPE(_INT, _P, _INT, _P)


class _Methods(ctypes.Structure):
    """sqlite3_io_methods."""

    _fields_ = (
        ("iVersion", _INT), ("xClose", _P), ("xRead", _P), ("xWrite", _P), ("xTruncate", _P), ("xSync", _P),
        ("xFileSize", _P), ("xLock", _P), ("xUnlock", _P), ("xCheckReservedLock", _P), ("xFileControl", _P),
        ("xSectorSize", _P), ("xDeviceCharacteristics", _P), ("xShmMap", _P), ("xShmLock", _P),
        ("xShmBarrier", _P), ("xShmUnmap", _P), ("xFetch", _P), ("xUnfetch", _P),
    )  # fmt: skip


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, as far as it is used."""

    _fields_ = (
        ("iVersion", _INT), ("szOsFile", _INT), ("mxPathname", _INT), ("pNext", _P), ("zName", _PATH),
        ("pAppData", _P), ("xOpen", _P), ("xDelete", _P), ("xAccess", _P), ("xFullPathname", _P),
        ("xDlOpen", _P), ("xDlError", _P), ("xDlSym", _P), ("xDlClose", _P), ("xRandomness", _P),
        ("xSleep", _P), ("xCurrentTime", _P), ("xGetLastError", _P),
    )  # fmt: skip


class Turnstile(Protocol):
    """Every operation comes through here; it does it, or not, and answers for the disk."""

    def sqlite(self, call: SqliteCall) -> int:
        """Returns SQLite's result code."""

    @property
    def errno(self) -> int:
        """Of the last operation that was made to fail."""


class SqliteCall:
    """One operation of SQLite on a file, not done yet.

    `what`: open, read, write, truncate, sync, delete, shm. `folder_too`: it makes names durable.
    """

    def __init__(
        self,
        what: str,
        path: Path,
        whole: Callable[[], int],
        *,
        half: Callable[[], int] | None = None,
        offset: int = 0,
        data: bytes = b"",
        folder_too: bool = False,
    ) -> None:
        self.what = what
        self.path = path
        self.do = whole
        self.do_half = half or (lambda: 0)
        self.offset = offset
        self.data = data
        self.folder_too = folder_too

    def code_of(self, number: int) -> int:
        """What SQLite's layer for Unix answers when the system call fails with this errno."""
        if self.what == "write" and number == errno.ENOSPC:
            return int(apsw.SQLITE_FULL)
        return _CODES[self.what]


_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL

_CODES: dict[str, int] = {
    "open": apsw.SQLITE_CANTOPEN,
    "read": apsw.SQLITE_IOERR_CORRUPTFS,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "shm": apsw.SQLITE_IOERR_SHMSIZE,
}


class _File:
    """What is known of an open file of SQLite's."""

    def __init__(self, path: Path, methods: _Methods, *, names_it: bool) -> None:
        self.path = path
        self.methods = methods
        self.names_it = names_it  # SQLite flushes the folder with its first sync


class Shim:
    """Puts the turnstile into this process's SQLite."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self._files: dict[int, _File] = {}
        self._tables: dict[int, _Methods] = {}
        self._vfs = _unix_vfs()
        self._original_open = _OPEN(self._vfs.xOpen)
        self._original_delete = _DELETE(self._vfs.xDelete)
        self._kept: list[Any] = []  # what C points to must not be collected
        self._vfs.xOpen = self._pointer(_OPEN(self._open))
        self._vfs.xDelete = self._pointer(_DELETE(self._delete))
        self._vfs.xGetLastError = self._pointer(_LAST_ERROR(lambda *_: self._turnstile.errno))

    def _pointer(self, function: Any) -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, _P).value

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
        def whole() -> int:
            return int(self._original_open(vfs, name, file, flags, out))

        if name is None:  # a temporary file
            return whole()
        path = Path(os.fsdecode(ctypes.string_at(name)))
        makes = flags & apsw.SQLITE_OPEN_CREATE and not path.exists()
        code = self._turnstile.sqlite(SqliteCall("open", path, whole)) if makes else whole()
        slot = _P.from_address(file)
        if code == apsw.SQLITE_OK and slot.value:
            methods = _Methods.from_address(slot.value)
            names_it = bool(flags & apsw.SQLITE_OPEN_CREATE and flags & _JOURNALS)
            self._files[file] = _File(path, methods, names_it=names_it)
            slot.value = ctypes.addressof(self._table(slot.value))
        elif code != apsw.SQLITE_OK:
            slot.value = None
        return code

    def _table(self, address: int) -> _Methods:
        """The functions of a file with ours in the places that matter."""
        if address not in self._tables:
            table = _Methods.from_buffer_copy(_Methods.from_address(address))
            table.xClose = self._pointer(_CLOSE(self._close))
            table.xRead = self._pointer(_READ(self._read))
            table.xWrite = self._pointer(_READ(self._write))
            table.xTruncate = self._pointer(_TRUNCATE(self._truncate))
            table.xSync = self._pointer(_SYNC(self._sync))
            table.xShmMap = self._pointer(_SHM_MAP(self._shm_map))
            self._tables[address] = table
        return self._tables[address]

    def _close(self, file: int) -> int:
        methods = self._files.pop(file).methods
        _P.from_address(file).value = ctypes.addressof(methods)
        return int(_CLOSE(methods.xClose)(file))

    def _read(self, file: int, buffer: int, amount: int, offset: int) -> int:
        known = self._files[file]
        return self._turnstile.sqlite(
            SqliteCall("read", known.path, lambda: _READ(known.methods.xRead)(file, buffer, amount, offset))
        )

    def _write(self, file: int, buffer: int, amount: int, offset: int) -> int:
        known, write = self._files[file], _READ(self._files[file].methods.xWrite)
        return self._turnstile.sqlite(
            SqliteCall(
                "write", known.path, lambda: write(file, buffer, amount, offset),
                half=lambda: write(file, buffer, amount // 2, offset),
                offset=offset, data=ctypes.string_at(buffer, amount),
            )
        )  # fmt: skip

    def _truncate(self, file: int, size: int) -> int:
        known = self._files[file]
        return self._turnstile.sqlite(
            SqliteCall(
                "truncate", known.path, lambda: _TRUNCATE(known.methods.xTruncate)(file, size), offset=size
            )
        )

    def _sync(self, file: int, flags: int) -> int:
        known = self._files[file]
        code = self._turnstile.sqlite(
            SqliteCall(
                "sync", known.path, lambda: _SYNC(known.methods.xSync)(file, flags), folder_too=known.names_it
            )
        )
        if code == apsw.SQLITE_OK:
            known.names_it = False
        return code

    def _shm_map(self, file: int, page: int, size: int, extend: int, out: int) -> int:
        known = self._files[file]

        def whole() -> int:
            return int(_SHM_MAP(known.methods.xShmMap)(file, page, size, extend, out))

        if not extend:
            return whole()
        code = self._turnstile.sqlite(SqliteCall("shm", Path(f"{known.path}-shm"), whole))
        if code != apsw.SQLITE_OK:
            _P.from_address(out).value = None
        return code

    def _delete(self, vfs: int, name: bytes, sync: int) -> int:
        def whole() -> int:
            return int(self._original_delete(vfs, name, sync))

        return self._turnstile.sqlite(
            SqliteCall("delete", Path(os.fsdecode(name)), whole, folder_too=bool(sync))
        )


def _unix_vfs() -> _Vfs:
    """The structure that SQLite itself uses."""
    db = apsw.Connection(":memory:", vfs="unix")
    found = _P()
    db.file_control("main", apsw.SQLITE_FCNTL_VFS_POINTER, ctypes.addressof(found))
    db.close()
    assert found.value, "SQLite named no VFS"
    vfs = _Vfs.from_address(found.value)
    assert vfs.zName == b"unix", vfs.zName
    return vfs
