"""The activity log: what happened to the connection, the breaker and each write, kept locally."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalError
from robusto.events import Event
from robusto.journal.side import SideFile

_TABLE = """
CREATE TABLE IF NOT EXISTS activity (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, name TEXT NOT NULL, facts TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS activity_name ON activity (name, n);
CREATE INDEX IF NOT EXISTS activity_write ON activity (json_extract(facts, '$.write'), n);
"""
#: Events that are kept, the newest ones.
_KEEP = 100_000
#: Events that may wait for the writer; beyond that the oldest news is dropped, never the write.
_QUEUE = 10_000
_EVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the log: an event with its number, by which the log is paged."""

    n: int
    at: datetime
    name: str
    facts: dict[str, Any]


class Activity:
    """Writes behind the flow, in batches: the last fifth of a second dies with a killed process."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = SideFile(folder / "activity.db", _TABLE)
        self._clock = clock
        self._queue: queue.Queue[Event] = queue.Queue(_QUEUE)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Listener: remember an event."""
        with suppress(queue.Full):
            self._queue.put_nowait(event)

    def open(self) -> None:
        """Start writing. A log that cannot be written is done without."""
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
        if not batch:
            return
        with suppress(JournalError), self._file.open().transaction(Deadline.after(self._clock, 1.0)) as db:
            db.executemany("INSERT INTO activity (at, name, facts) VALUES (?, ?, ?)", batch)
            db.execute("DELETE FROM activity WHERE n <= (SELECT max(n) FROM activity) - ?", (_KEEP,))

    def page(
        self,
        *,
        name: str = "",
        writes: tuple[UUID, UUID] | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Happening]:
        """The newest events before this number, of one name or about writes in this range of ids.

        Raises JournalError.
        """
        values: list[Any]
        conditions, values = ["n < ?"], [before if before is not None else 1 << 62]
        if name:
            conditions, values = [*conditions, "name = ?"], [*values, name]
        if writes is not None:
            conditions.append("json_extract(facts, '$.write') BETWEEN ? AND ?")
            values += [str(each) for each in writes]
        query = f"SELECT n, at, name, facts FROM activity WHERE {' AND '.join(conditions)}"
        with self._file.open().reading() as db:
            found = list(db.execute(f"{query} ORDER BY n DESC LIMIT ?", (*values, limit)))
        return [
            Happening(n, datetime.fromtimestamp(at, UTC), name, json.loads(facts))
            for n, at, name, facts in found
        ]

    def close(self) -> None:
        """Write what is left and close the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        self._write()
        self._file.close()
