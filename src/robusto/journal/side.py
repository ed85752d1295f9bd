"""Files beside the journal that may be lost: copies, the read copy, the activity log."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from robusto import local
from robusto.errors import JournalError
from robusto.journal.file import File


class SideFile:
    """A file that is made when it is missing and begun anew when it is damaged; never flushed."""

    def __init__(self, path: Path, tables: str) -> None:
        self._path = path
        self._tables = tables
        self._opening = threading.Lock()
        self._file: File | None = None

    def open(self) -> File:
        """The open file. Raises JournalError."""
        file = self._file
        if file is None or file.broken:
            with self._opening:
                if self._file is file:
                    self._file = self._opened(damaged=file is not None)
                file = self._file
        assert file is not None
        return file

    def _opened(self, *, damaged: bool) -> File:
        try:
            if damaged or not self._usable():
                self._put_aside()
            self._make()
        except (local.SQLiteError, OSError) as error:
            raise JournalError(f"{self._path.name} cannot be opened: {error}") from error
        return File(self._path, self._path.with_suffix(".lock"), flush=False)

    def _usable(self) -> bool:
        try:
            self._make()
        except (local.IOFailure, *local.Corrupt):
            return False
        return True

    def _make(self) -> None:
        db = local.connect(self._path, flush=False)
        try:
            with db:
                db.execute(self._tables)
        finally:
            db.close()

    def _put_aside(self) -> None:
        """Kept as evidence; one is enough."""
        for suffix in ("-shm", "-wal", ""):
            with suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").rename(f"{self._path}.damaged{suffix}")

    def close(self) -> None:
        """Close the file."""
        with self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None
