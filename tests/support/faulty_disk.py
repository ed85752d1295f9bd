"""A disk that fails, ends the process or loses its power at the Nth operation: for child processes only.

Every operation below one folder that changes the disk is numbered, SQLite's (`sqlite_shim`) and our
own (`os.write`, `os.replace`, …). What happens is written down, so that the disk after a power cut can
be drawn from it (`power_cut`).
"""

from __future__ import annotations

import errno
import os
import pickle
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tests.support.faulty_os import OwnFiles
from tests.support.sqlite_shim import Shim, SqliteCall

T = TypeVar("T")

#: One thing that happened to the disk: its name and its values. See `power_cut.Platter`.
Happening = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the Nth operation.

    `does`: error (it fails), kill (the process ends), cut (the power does). `when`: before it, after
    it, or in the middle of it. `sticky`: every later one fails too. `reads`: reads are numbered instead.
    `loses`: after an error, the power is cut at the end, and unflushed data is gone. `dies`: after an
    error, the process ends with its next step. `block`: of what was not flushed when the power was cut,
    blocks of this size may be there; 0 for none.
    """

    name: str
    does: str
    when: str = "before"
    errno: int = 0
    sticky: bool = False
    reads: bool = False
    loses: bool = False
    dies: bool = False
    block: int = 0


class Disk:
    """Numbers what is done below `root`, and lets the fault happen at the Nth operation."""

    def __init__(self, root: Path, fault: Fault | None = None, nth: int = 0, notes: Path | None = None):
        """`notes`: where to write down what happened when the power is cut."""
        self._root = root
        self._fault = fault
        self._nth = nth
        self._notes = notes
        self._lock = threading.RLock()
        self._open: dict[int, Path] = {}  # our own descriptors
        self._inodes: dict[Path, int] = {}
        self._happened: list[Happening] = []
        self._healed = False
        self.errno = 0
        self.reached = False
        self.steps = 0

    def install(self) -> None:
        """From now on everything goes through here. There is no way back."""
        for path in sorted(self._root.rglob("*")):
            self._note("there", path.relative_to(self._root), path.stat().st_ino, path.is_dir())
        self._shim = Shim(self)
        OwnFiles(self).install()

    def heal(self) -> None:
        """The disk is well again."""
        self._healed = True

    def cut_power(self) -> NoReturn:
        """Write down what happened so far, and end."""
        if self._notes is not None:
            with self._lock, self._notes.open("wb") as file:
                pickle.dump(self._happened, file)
        self._die()

    # -- the turnstile -------------------------------------------------------------------------

    def step(
        self,
        reads: bool,
        do: Callable[[], T],
        half: Callable[[], object],
        happening: Callable[[str], Happening | None],
        fail: Callable[[int], T],
    ) -> T:
        """One operation. `happening(how)` is what to write down: for whole, half or failed."""
        with self._lock:
            fault = self._due(reads)
            if fault is None:
                result = do()
                self._remember(happening("whole"))
                return result
            if fault.does == "cut":
                self.cut_power()
            if fault.when == "middle":
                half()
                self._remember(happening("half"))
            elif fault.when == "after":
                do()
                self._remember(happening("whole"))
            if fault.does == "kill":
                self._die()
            self._remember(happening("failed"))
            self.errno = fault.errno
            return fail(fault.errno)

    def _due(self, reads: bool) -> Fault | None:
        fault = self._fault
        if fault is None or self._healed or fault.reads is not reads:
            return None
        self.steps += 1
        if fault.dies and self.steps > self._nth:
            self.cut_power()
        if self.steps < self._nth or (self.steps > self._nth and not fault.sticky):
            return None
        self.reached = True
        return fault

    @staticmethod
    def _die() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    # -- SQLite's operations -------------------------------------------------------------------

    def sqlite(self, call: SqliteCall) -> int:
        """Part of Turnstile."""
        if not self.covers(call.path):
            return call.do()

        def happening(how: str) -> Happening | None:
            return self._of_sqlite(call, how)

        if call.what == "delete":
            self.inode(call.path)
        return self.step(call.what == "read", call.do, call.do_half, happening, call.code_of)

    def _of_sqlite(self, call: SqliteCall, how: str) -> Happening | None:
        match call.what, how:
            case "write", "whole":
                return "write", self.inode(call.path), call.offset, call.data
            case "write", "half":
                return "write", self.inode(call.path), call.offset, call.data[: len(call.data) // 2]
            case "truncate", "whole":
                return "truncate", self.inode(call.path), call.offset
            case "sync", "whole":
                if call.folder_too:
                    self._note("sync folder", self.name(call.path.parent))
                return "sync", self.inode(call.path)
            case "sync", "failed":
                return "failed sync", self.inode(call.path)
            case "open", "whole":
                return self.made(call.path)
            case "delete", "whole":
                self._note("unlink", self.name(call.path))
                return ("sync folder", self.name(call.path.parent)) if call.folder_too else None
            case _:
                return None

    # -- what happened -------------------------------------------------------------------------

    def covers(self, path: Path) -> bool:
        """Whether this is on our disk. A `-shm` file is memory."""
        return path.is_relative_to(self._root)

    def name(self, path: Path) -> Path:
        return path.relative_to(self._root)

    def made(self, path: Path) -> Happening:
        """A new name, and the file or folder that it leads to."""
        self._inodes.pop(path, None)
        return "make", self.name(path), self.inode(path), path.is_dir()

    def moved(self, source: Path, target: Path) -> None:
        """A file has another name from now on."""
        self._inodes[target] = self._inodes.pop(source)

    def inode(self, path: Path) -> int:
        """Which file it is, whatever its name becomes."""
        if path not in self._inodes:
            self._inodes[path] = os.stat(path).st_ino
        return self._inodes[path]

    def opened(self, fd: int, path: Path | None) -> None:
        if path is None:
            self._open.pop(fd, None)
        else:
            self._open[fd] = path

    def path_of(self, fd: int) -> Path | None:
        return self._open.get(fd)

    def said(self, line: dict[str, Any], write: Callable[[], object]) -> None:
        """Something was answered: it stands in order among what happened."""
        with self._lock:
            self._note("said", line)
            write()

    def _remember(self, happening: Happening | None) -> None:
        if happening is not None:
            self._note(*happening)

    def _note(self, *happening: Any) -> None:
        if self._notes is not None:
            self._happened.append(happening)


#: Every fault of the sweep, by its name.
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("error", "error", errno=errno.EIO),
        Fault("error-after", "error", "after", errno=errno.EIO),
        Fault("error-half", "error", "middle", errno=errno.EIO),
        Fault("error-on", "error", errno=errno.EIO, sticky=True),
        Fault("full", "error", errno=errno.ENOSPC),
        Fault("full-half", "error", "middle", errno=errno.ENOSPC),
        Fault("full-on", "error", errno=errno.ENOSPC, sticky=True),
        Fault("quota", "error", errno=errno.EDQUOT),
        Fault("kill", "kill"),
        Fault("kill-half", "kill", "middle"),
        Fault("kill-after", "kill", "after"),
        Fault("read", "error", errno=errno.EIO, reads=True),
        Fault("read-on", "error", errno=errno.EIO, sticky=True, reads=True),
        Fault("power", "cut"),
        Fault("power-4096", "cut", block=4096),
        Fault("power-512", "cut", block=512),
        Fault("error-power", "error", errno=errno.EIO, loses=True),
        Fault("error-restart", "error", errno=errno.EIO, loses=True, dies=True),
    )
}
