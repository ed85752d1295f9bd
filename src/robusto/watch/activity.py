"""The activity log: what happened to the connection, the breaker and each write, kept locally."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from robusto import local
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalError
from robusto.events import Event
from robusto.journal.file import File

_TABLE = """
CREATE TABLE IF NOT EXISTS activity (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, name TEXT NOT NULL, facts TEXT NOT NULL
) STRICT;
"""
#: Events that are kept, the newest ones.
_KEEP = 100_000
#: Events that may wait for the writer; beyond that the oldest news is dropped, never the write.
_QUEUE = 10_000
_EVERY_SECONDS = 0.2


class Activity:
    """Writes behind the flow, in batches: the last fifth of a second dies with a killed process."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / "activity.db"
        self._lock = folder / "activity.lock"
        self._clock = clock
        self._queue: queue.Queue[Event] = queue.Queue(_QUEUE)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._file: File | None = None

    def __call__(self, event: Event) -> None:
        """Listener: remember an event."""
        with suppress(queue.Full):
            self._queue.put_nowait(event)

    def open(self) -> None:
        """Open the file and start writing. A log that cannot be opened is done without."""
        with suppress(JournalError, local.SQLiteError):
            db = local.connect(self._path, flush=False)
            with db:
                db.execute(_TABLE)
            db.close()
            self._file = File(self._path, self._lock, flush=False)
        self._thread = threading.Thread(target=self._run, name="robusto-activity", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self._write()

    def _write(self) -> None:
        batch: list[tuple[float, str, str]] = []
        with suppress(queue.Empty):
            while len(batch) < 1000:
                event = self._queue.get_nowait()
                batch.append((event.at.timestamp(), event.name, json.dumps(event.facts, default=str)))
        if not batch or self._file is None:
            return
        with suppress(JournalError), self._file.transaction(Deadline.after(self._clock, 1.0)) as db:
            db.executemany("INSERT INTO activity (at, name, facts) VALUES (?, ?, ?)", batch)
            db.execute("DELETE FROM activity WHERE n <= (SELECT max(n) FROM activity) - ?", (_KEEP,))

    def latest(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events first. Raises JournalError."""
        if self._file is None:
            return []
        with self._file.reading() as db:
            found = list(db.execute("SELECT at, name, facts FROM activity ORDER BY n DESC LIMIT ?", (limit,)))
        return [{"at": at, "event": name, **json.loads(facts)} for at, name, facts in found]

    def close(self) -> None:
        """Write what is left and close the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        self._write()
        if self._file is not None:
            self._file.close()
            self._file = None
