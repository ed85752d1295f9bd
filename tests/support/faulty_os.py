"""Our own file operations, through a turnstile: for child processes only, it cannot be taken out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tests.support.faulty_disk import Disk, Happening

_NAMES = (
    "open", "close", "pread", "write", "pwrite", "fsync", "fdatasync", "rename", "replace", "unlink",
    "remove", "mkdir", "chmod", "posix_fallocate", "ftruncate",
)  # fmt: skip


class OwnFiles:
    """Stands in for some functions of `os`, where they are about a file on the disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in _NAMES}

    def install(self) -> None:
        """From now on."""
        os.open, os.close, os.pread = self._open, self._close, self._pread
        for name in ("write", "pwrite"):
            self._put(name, self._written, self._half)
        for name in ("fsync", "fdatasync"):
            self._put(name, self._synced)
        for name in ("rename", "replace"):
            self._put(name, self._renamed)
        for name in ("unlink", "remove"):
            self._put(name, lambda path: ("unlink", self._disk.name(path)))
        self._put("mkdir", lambda path, *_: self._disk.made(path))
        self._put("chmod", lambda path, mode: None)
        self._put(
            "posix_fallocate", lambda path, offset, size: ("grow", self._disk.inode(path), offset + size)
        )
        self._put("ftruncate", lambda path, size: ("truncate", self._disk.inode(path), size))

    def _put(
        self,
        name: str,
        happened: Callable[..., Happening | None],
        half: Callable[..., Happening | None] = lambda *_: None,
    ) -> None:
        """The function `name` of `os`, whose first argument says which file it is about.

        `happened` is what to write down when it was done; `half` does the half of it, and says so.
        """
        real = self._real[name]

        def stepped(*given: Any, **named: Any) -> Any:
            path = self._here(given[0])
            if path is None:
                return real(*given, **named)
            if path.exists():
                self._disk.inode(path)  # while it has this name

            def what(how: str) -> Happening | None:
                if how == "failed":
                    lost = name in _SYNCS and path.is_file()
                    return ("failed sync", self._disk.inode(path)) if lost else None
                return happened(path, *given[1:]) if how == "whole" else halved

            halved: Happening | None = None

            def do_half() -> None:
                nonlocal halved
                halved = half(name, path, *given)

            return self._disk.step(False, lambda: real(*given, **named), do_half, what, _fail)

        setattr(os, name, stepped)

    def _here(self, path: Any) -> Path | None:
        """The file on our disk that a path or a descriptor leads to."""
        if isinstance(path, int):
            return self._disk.path_of(path)
        found = Path(os.fsdecode(path))
        return found if self._disk.covers(found) else None

    def _open(self, path: Any, flags: int, mode: int = 0o777, **named: Any) -> int:
        def do() -> int:
            return int(self._real["open"](path, flags, mode, **named))

        found = self._here(path)
        if found is None:
            return do()

        def what(how: str) -> Happening | None:
            return self._disk.made(found) if how == "whole" else None

        makes = flags & os.O_CREAT and not found.exists()
        fd = self._disk.step(False, do, lambda: None, what, _fail) if makes else do()
        self._disk.opened(fd, found)
        return fd

    def _close(self, fd: int) -> None:
        self._disk.opened(fd, None)
        self._real["close"](fd)

    def _pread(self, fd: int, amount: int, offset: int) -> bytes:
        def do() -> bytes:
            return bytes(self._real["pread"](fd, amount, offset))

        if self._disk.path_of(fd) is None:
            return do()
        return self._disk.step(True, do, lambda: None, lambda how: None, _fail)

    def _written(self, path: Path, data: bytes, offset: int = 0) -> Happening:
        """Our own small files are written once, from their beginning."""
        return "write", self._disk.inode(path), offset, bytes(data)

    def _half(self, name: str, path: Path, fd: int, data: bytes, *offset: int) -> Happening:
        some = bytes(data[: len(data) // 2])
        self._real[name](fd, some, *offset)
        return self._written(path, some, *offset)

    def _synced(self, path: Path) -> Happening:
        return ("sync folder", self._disk.name(path)) if path.is_dir() else ("sync", self._disk.inode(path))

    def _renamed(self, path: Path, target: Any) -> Happening:
        there = Path(os.fsdecode(target))
        self._disk.moved(path, there)
        return "rename", self._disk.name(path), self._disk.name(there)


_SYNCS = ("fsync", "fdatasync")


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))
