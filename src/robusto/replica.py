"""The local read copy: chosen queries, so that looking up survives PostgreSQL too.

Rows lie sealed in a file of their own; each process keeps them open in memory and reads only what
has changed since it last looked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.handlers import Transaction
from robusto.journal.cipher import Cipher
from robusto.journal.side import SideFile

_TABLES = """
CREATE TABLE IF NOT EXISTS rows (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL, id TEXT NOT NULL, changed_at REAL NOT NULL, sealed BLOB NOT NULL,
    UNIQUE (name, id)
) STRICT;
CREATE TABLE IF NOT EXISTS refreshed (
    name TEXT PRIMARY KEY, as_of REAL NOT NULL, newest REAL NOT NULL
) STRICT;
"""
#: Rows fetched in one query.
_PAGE = 2000
#: Seconds that are read again each time: a transaction stamps its rows before it commits them, and
#: none of ours lives longer.
_OVERLAP = 30.0
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Replica:
    """A query that is copied. `sql` selects `id`, `changed_at` and `row` (JSON) of the rows with
    `changed_at >= %(since)s`, ordered by `changed_at, id`, at most `%(limit)s` from `%(offset)s` on."""

    name: str
    sql: str


class ReplicaStore:
    """The copy of one query."""

    def __init__(self, replica: Replica, folder: Path, keys: tuple[bytes, ...], clock: Clock) -> None:
        self._replica = replica
        self._file = SideFile(folder / "replica.db", _TABLES)
        self._cipher = Cipher(keys)
        self._clock = clock
        self._loading = threading.Lock()
        self._rows: dict[str, dict[str, Any]] = {}
        self._seen = 0

    @property
    def name(self) -> str:
        """The name of the copied query."""
        return self._replica.name

    @property
    def as_of(self) -> datetime | None:
        """When the copy was last made equal to PostgreSQL; None when it never was. Raises JournalError."""
        with self._file.open().reading() as db:
            row = db.execute("SELECT as_of FROM refreshed WHERE name = ?", (self._replica.name,)).fetchone()
        return None if row is None else datetime.fromtimestamp(row[0], UTC)

    def rows(self) -> Mapping[str, dict[str, Any]]:
        """Every row by its id; do not change them. Raises JournalError."""
        with self._loading:
            with self._file.open().reading() as db:
                news = list(
                    db.execute(
                        "SELECT n, id, sealed FROM rows WHERE name = ? AND n > ? ORDER BY n",
                        (self._replica.name, self._seen),
                    )
                )
            if news:
                fresh = dict(self._rows)  # readers of the old mapping are not disturbed
                fresh.update((id, self._opened(id, sealed)) for _, id, sealed in news)
                self._rows, self._seen = fresh, news[-1][0]
            return self._rows

    def refresh(self, tx: Transaction) -> int:
        """Copy what has changed since the last time; returns the number of rows read."""
        began, newest, offset = self._clock.wall(), self._newest(), 0
        since = newest - timedelta(seconds=_OVERLAP)
        while True:
            params = {"since": since, "limit": _PAGE, "offset": offset}
            page = tx.execute(self._replica.sql, params).fetchall()
            self._store(page)
            offset += len(page)
            newest = max((newest, *(row[1] for row in page)))
            if len(page) < _PAGE:
                break
        self._finish(began, newest)
        return offset

    def _newest(self) -> datetime:
        with self._file.open().reading() as db:
            row = db.execute("SELECT newest FROM refreshed WHERE name = ?", (self._replica.name,)).fetchone()
        return _BEGINNING if row is None else datetime.fromtimestamp(row[0], UTC)

    def _store(self, page: list[tuple[Any, datetime, dict[str, Any]]]) -> None:
        with self._file.open().transaction(self._patience()) as db:
            for id, changed_at, row in page:
                stamp = changed_at.timestamp()
                known = db.execute(
                    "SELECT 1 FROM rows WHERE name = ? AND id = ? AND changed_at = ?",
                    (self._replica.name, str(id), stamp),
                ).fetchone()
                if not known:
                    plain = json.dumps(row, separators=(",", ":"), default=str).encode()
                    db.execute(
                        "INSERT OR REPLACE INTO rows (name, id, changed_at, sealed) VALUES (?, ?, ?, ?)",
                        (self._replica.name, str(id), stamp, self._cipher.seal(plain, self._bound(str(id)))),
                    )

    def _finish(self, as_of: datetime, newest: datetime) -> None:
        with self._file.open().transaction(self._patience()) as db:
            db.execute(
                "INSERT OR REPLACE INTO refreshed (name, as_of, newest) VALUES (?, ?, ?)",
                (self._replica.name, as_of.timestamp(), newest.timestamp()),
            )

    def _opened(self, id: str, sealed: bytes) -> dict[str, Any]:
        row = json.loads(self._cipher.open(sealed, self._bound(id)))
        return dict(row)

    def _bound(self, id: str) -> bytes:
        return f"robusto.replica|{self._replica.name}|{id}".encode()

    def _patience(self) -> Deadline:
        return Deadline.after(self._clock, 5.0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
