"""Our own file operations, through a turnstile: for child processes only, it cannot be taken out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tests.support.faulty_disk import Disk, Happening


def patch_os(disk: Disk) -> None:
    """Put the disk between this process's own file operations and the system."""
    real: dict[str, Any] = {name: getattr(os, name) for name in _NAMES}

    def put(name: str, function: Callable[..., Any]) -> None:
        setattr(os, name, function)

    def fail(number: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    def here(path: Any) -> Path | None:
        if isinstance(path, int):
            return disk.path_of(path)
        found = Path(os.fsdecode(path))
        return found if disk.covers(found) else None

    def change(
        name: str, happening: Callable[..., Happening | None], half: Callable[..., object] = lambda *_: None
    ) -> None:
        """The operation `name`, whose first argument says which file it is about."""

        def stepped(*given: Any, **named: Any) -> Any:
            path = here(given[0])
            if path is None:
                return real[name](*given, **named)

            def what(how: str) -> Happening | None:
                return happening(how, path, *given[1:])

            def do() -> Any:
                return real[name](*given, **named)

            return disk.step(False, do, lambda: half(*given), what, fail)

        put(name, stepped)

    def open_(path: Any, flags: int, mode: int = 0o777, **named: Any) -> int:
        found = here(path)
        if found is None:
            return int(real["open"](path, flags, mode, **named))

        def do() -> int:
            return int(real["open"](path, flags, mode, **named))

        def what(how: str) -> Happening | None:
            return disk.made(found) if how == "whole" else None

        makes = flags & os.O_CREAT and not found.exists()
        fd = disk.step(False, do, lambda: None, what, fail) if makes else do()
        disk.opened(fd, found)
        return fd

    def close(fd: int) -> None:
        disk.opened(fd, None)
        real["close"](fd)

    def pread(fd: int, amount: int, offset: int) -> bytes:
        def do() -> bytes:
            return bytes(real["pread"](fd, amount, offset))

        if disk.path_of(fd) is None:
            return do()
        return disk.step(True, do, lambda: None, lambda how: None, fail)

    def at_position(how: str, path: Path, data: bytes) -> Happening | None:
        end = os.stat(path).st_size  # our own small files are written once, from their beginning
        size = {"whole": len(data), "half": len(data) // 2}.get(how)
        return None if size is None else ("write", disk.inode(path), end - size, bytes(data[:size]))

    def at_offset(how: str, path: Path, data: bytes, offset: int) -> Happening | None:
        size = {"whole": len(data), "half": len(data) // 2}.get(how)
        return None if size is None else ("write", disk.inode(path), offset, bytes(data[:size]))

    def synced(how: str, path: Path, *_: Any) -> Happening | None:
        if how == "whole":
            return ("sync folder", disk.name(path)) if path.is_dir() else ("sync", disk.inode(path))
        return ("failed sync", disk.inode(path)) if how == "failed" and not path.is_dir() else None

    def renamed(how: str, path: Path, target: Any, *_: Any) -> Happening | None:
        if how != "whole":
            return None
        there = Path(os.fsdecode(target))
        disk.moved(path, there)
        return "rename", disk.name(path), disk.name(there)

    def before_rename(name: str) -> None:
        stepped = getattr(os, name)

        def knowing(source: Any, target: Any, **named: Any) -> Any:
            path = here(source)
            if path is not None and path.exists():
                disk.inode(path)
            return stepped(source, target, **named)

        put(name, knowing)

    put("open", open_)
    put("close", close)
    put("pread", pread)
    change("write", at_position, lambda fd, data: real["write"](fd, data[: len(data) // 2]))
    change("pwrite", at_offset, lambda fd, data, offset: real["pwrite"](fd, data[: len(data) // 2], offset))
    for name in ("fsync", "fdatasync"):
        change(name, synced)
    for name in ("rename", "replace"):
        change(name, renamed)
        before_rename(name)
    for name in ("unlink", "remove"):
        change(name, lambda how, path, *_: ("unlink", disk.name(path)) if how == "whole" else None)
    change("mkdir", lambda how, path, *_: disk.made(path) if how == "whole" else None)
    change("chmod", lambda how, path, *_: None)
    change(
        "posix_fallocate",
        lambda how, path, offset, size: ("grow", disk.inode(path), offset + size) if how == "whole" else None,
    )
    change(
        "ftruncate",
        lambda how, path, size: ("truncate", disk.inode(path), size) if how == "whole" else None,
    )


_NAMES = (
    "open", "close", "pread", "write", "pwrite", "fsync", "fdatasync", "rename", "replace", "unlink",
    "remove", "mkdir", "chmod", "posix_fallocate", "ftruncate",
)  # fmt: skip
