"""`python -m tests.support.faulty_child FOLDER`: uses a journal there; prints what the turnstile has seen.

Two numbers: the operations that change the disk, SQLite's memory and opening apart, and the flushes of
the folder that SQLite is expected to make by itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tests.support.faulty_disk import Disk
from tests.support.sqlite_shim import SqliteCall
from tests.sweep.actor import Actor
from tests.sweep.operations import OPERATIONS


class _Counting(Disk):
    """Counts what it lets through."""

    seen = 0
    folders = 0

    def step(self, reads: bool, do: Any, half: Any, happening: Any, fail: Any) -> Any:
        self.seen += not reads
        return super().step(reads, do, half, happening, fail)

    def sqlite(self, call: SqliteCall) -> int:
        self.seen -= call.what in ("shm", "open")
        self.folders += call.what == "sync" and call.folder_too
        return super().sqlite(call)

    def made(self, path: Path) -> Any:
        self.seen -= path.is_file() and not path.name.endswith(("-wal", "-journal"))  # our own opening
        return super().made(path)


def _main(root: Path) -> None:
    disk = _Counting(root)
    disk.install()
    actor = Actor(root / "journal", lambda line: None)
    for name in ("append", "generation", "checkpoint"):
        operation = OPERATIONS[name]
        assert operation.prepare is not None
        operation.prepare(actor)
        operation.act(actor)
    actor.journal.close()
    sys.stdout.write(f"{disk.seen} {disk.folders}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
