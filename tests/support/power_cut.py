"""What is on a disk after its power was cut, drawn from what happened to it before.

A file keeps what was flushed. Of what was not, each block may be there or not; a name that was made,
changed or removed since its folder was flushed may lead where it led at any time since then. A flush
that failed leaves its data unflushed for ever: the kernel holds it for clean.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.support.faulty_disk import Happening

_FOLDER = -1


class _Data:
    """One file: what the processes see of it, and what is on the platter."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen = bytearray(content)
        self.flushed = bytes(content)
        self.unflushed: set[int] = set()  # sectors of 512 bytes

    def write(self, offset: int, data: bytes) -> None:
        self._grow(offset + len(data))
        self.seen[offset : offset + len(data)] = data
        self.unflushed |= set(range(offset // 512, (offset + len(data) - 1) // 512 + 1))

    def truncate(self, size: int) -> None:
        del self.seen[size:]
        self._grow(size)
        self.unflushed.add(size // 512)

    def grow(self, size: int) -> None:
        self._grow(max(size, len(self.seen)))

    def _grow(self, size: int) -> None:
        self.seen += bytes(max(0, size - len(self.seen)))

    def sync(self) -> None:
        flushed = bytearray(self.flushed[: len(self.seen)].ljust(len(self.seen), b"\0"))
        for sector in self.unflushed:
            place = slice(sector * 512, sector * 512 + 512)
            flushed[place] = self.seen[place]
        self.flushed = bytes(flushed)
        self.unflushed = set()

    def failed_sync(self) -> None:
        self.unflushed = set()

    def after(self, chance: random.Random | None, block: int) -> bytes:
        """What is read when the power is back; without `chance` nothing unflushed is."""
        if chance is None or not self.unflushed:
            return self.flushed
        size = chance.choice((len(self.flushed), len(self.seen)))
        content = bytearray(self.flushed[:size].ljust(size, b"\0"))
        for each in {sector * 512 // block for sector in self.unflushed}:
            if chance.random() < 0.5:
                place = slice(each * block, min(size, each * block + block))
                content[place] = self.seen[place][: max(0, size - place.start)]
        return bytes(content[:size])


class Platter:
    """A folder on a disk whose power can be cut at any time."""

    def __init__(self, start: Path, happened: Iterable[Happening]) -> None:
        """`start` is a copy of what was there, all of it flushed, before anything happened."""
        self._start = start
        self._files: dict[int, _Data] = {}
        self._names: dict[Path, list[int | None]] = {}  # what each led to since its folder was flushed
        for what, *values in happened:
            getattr(self, "_" + what.replace(" ", "_"))(*values)

    def _there(self, name: Path, inode: int, folder: bool) -> None:
        self._names[name] = [_FOLDER if folder else inode]
        if not folder:
            self._files[inode] = _Data((self._start / name).read_bytes())

    def _make(self, name: Path, inode: int, folder: bool) -> None:
        self._led_to(name).append(_FOLDER if folder else inode)
        if not folder:
            self._files[inode] = _Data()

    def _led_to(self, name: Path) -> list[int | None]:
        return self._names.setdefault(name, [None])

    def _write(self, inode: int, offset: int, data: bytes) -> None:
        self._files[inode].write(offset, data)

    def _truncate(self, inode: int, size: int) -> None:
        self._files[inode].truncate(size)

    def _grow(self, inode: int, size: int) -> None:
        self._files[inode].grow(size)

    def _sync(self, inode: int) -> None:
        self._files[inode].sync()

    def _failed_sync(self, inode: int) -> None:
        self._files[inode].failed_sync()

    def _sync_folder(self, folder: Path) -> None:
        for name, led_to in self._names.items():
            if name.parent == folder:
                del led_to[:-1]

    def _rename(self, source: Path, target: Path) -> None:
        self._led_to(target).append(self._led_to(source)[-1])
        self._led_to(source).append(None)

    def _unlink(self, name: Path) -> None:
        self._led_to(name).append(None)

    def _said(self, line: object) -> None:
        """Answers are no part of the disk."""

    def write_to(self, image: Path, chance: random.Random | None = None, block: int = 4096) -> None:
        """Make the folder as it is found when the power is back."""
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir(parents=True)
        for name in sorted(self._names):
            led_to = self._names[name]
            inode = led_to[0] if chance is None else chance.choice(led_to)
            if inode is None or not (image / name).parent.exists():
                continue
            if inode == _FOLDER:
                (image / name).mkdir(0o700)
            else:
                (image / name).write_bytes(self._files[inode].after(chance, block))
