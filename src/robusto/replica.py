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
from uuid import UUID

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
CREATE TABLE IF NOT EXISTS places (
    name TEXT PRIMARY KEY, since TEXT NOT NULL, after TEXT NOT NULL, began TEXT, as_of REAL
) STRICT;
"""
#: Rows fetched in one query.
_PAGE = 2000
#: Seconds before a round that the next one reads again: a transaction stamps its rows before it
#: commits them, and none of ours lives longer.
_OVERLAP = 30.0
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


_FIRST_ID = str(UUID(int=0))


@dataclass(frozen=True, slots=True)
class Replica:
    """A query that is copied.

    `sql` selects `id` (uuid), `changed_at` and `row` (JSON) of the rows with
    `(changed_at, id) > (%(since)s, %(after)s)` in that order, at most `%(limit)s`.
    """

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind which row the next page begins, and when (by PostgreSQL's clock) this round began."""

    since: datetime
    after: str
    began: datetime | None


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
            row = db.execute("SELECT as_of FROM places WHERE name = ?", (self._replica.name,)).fetchone()
        return None if row is None or row[0] is None else datetime.fromtimestamp(row[0], UTC)

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

    def copy_page(self, tx: Transaction) -> bool:
        """Copy one page of what has changed; says whether there is more. Raises JournalError.

        Each page is kept with its place, so that a copy that is interrupted goes on where it was.
        """
        as_of, now = self._clock.wall(), tx.execute("SELECT clock_timestamp()").fetchone()[0]
        place = self._place()
        params = {"since": place.since, "after": place.after, "limit": _PAGE}
        page = tx.execute(self._replica.sql, params).fetchall()
        self._store(page)
        began = place.began or now
        if len(page) == _PAGE:
            self._keep_place(_Place(page[-1][1], str(page[-1][0]), began))
            return True
        self._keep_place(_Place(began - timedelta(seconds=_OVERLAP), _FIRST_ID, None), as_of)
        return False

    def read_all_again(self) -> None:
        """The next copy begins at the beginning: rows may be older than they were. Raises JournalError."""
        self._keep_place(_Place(_BEGINNING, _FIRST_ID, None))

    def _place(self) -> _Place:
        with self._file.open().reading() as db:
            row = db.execute(
                "SELECT since, after, began FROM places WHERE name = ?", (self._replica.name,)
            ).fetchone()
        if row is None:
            return _Place(_BEGINNING, _FIRST_ID, None)
        since, after, began = row
        return _Place(datetime.fromisoformat(since), after, datetime.fromisoformat(began) if began else None)

    def _keep_place(self, place: _Place, as_of: datetime | None = None) -> None:
        began = place.began.isoformat() if place.began else None
        with self._file.open().transaction(self._patience()) as db:
            db.execute(
                "INSERT INTO places (name, since, after, began, as_of) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET since = excluded.since, after = excluded.after,"
                " began = excluded.began, as_of = ifnull(excluded.as_of, as_of)",
                (
                    self._replica.name, place.since.isoformat(), place.after, began,
                    as_of.timestamp() if as_of else None,
                ),
            )  # fmt: skip

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
