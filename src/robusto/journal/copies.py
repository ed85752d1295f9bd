"""Sealed copies of direct writes: not flushed, they survive the death of every process.

They answer a repeat in an outage, show what the local read copy has not seen yet, and let a
PostgreSQL that was set back by a day get the day's writes again (rule 10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.journal import seal
from robusto.journal.cipher import Cipher
from robusto.journal.group import GroupCommit
from robusto.journal.side import SideFile
from robusto.write import Write

_TABLE = """
CREATE TABLE IF NOT EXISTS copies (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    version INTEGER NOT NULL,
    ordering BLOB NOT NULL,
    after BLOB NOT NULL,
    stored_at REAL NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS copies_stored ON copies (stored_at);
"""
_COLUMNS = "id, kind, request_hash, version, ordering, after, stored_at, sealed"
_PLACE = b"robusto.copy"
#: Seconds that a caller, whose write is stored already, may be kept for its copy.
_PATIENCE = 0.25


class Copies:
    """The copies of one host, in a file of their own beside the journal."""

    def __init__(self, folder: Path, keys: tuple[bytes, ...], clock: Clock) -> None:
        self._file = SideFile(folder / "copies.db", _TABLE)
        self._cipher = Cipher(keys)
        self._clock = clock
        self._puts: GroupCommit[Write, bool] = GroupCommit(self._put_group)

    def keep(self, write: Write) -> None:
        """Keep a copy of a write that PostgreSQL has just committed. Raises JournalError."""
        self._puts.put(write, Deadline.after(self._clock, _PATIENCE))

    def _put_group(
        self, take: Callable[[], Sequence[Write]], deadline: Deadline
    ) -> Sequence[bool | Exception]:
        with self._file.open().transaction(deadline) as db:
            group = take()
            stored_at = self._clock.wall().timestamp()
            for write in group:
                db.execute(
                    f"INSERT OR IGNORE INTO copies ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        write.id.bytes, write.kind, write.request_hash, write.version,
                        seal.join(write.ordering), seal.join(write.after), stored_at,
                        seal.seal(self._cipher, write, _PLACE),
                    ),
                )  # fmt: skip
            return [True] * len(group)

    def find(self, low: UUID, high: UUID | None = None) -> tuple[Write, float] | None:
        """The copy with this id, or in this range of ids, and when it was stored (wall-clock seconds)."""
        with self._file.open().reading() as db:
            row = db.execute(
                f"SELECT {_COLUMNS} FROM copies WHERE id BETWEEN ? AND ?",
                (low.bytes, (high or low).bytes),
            ).fetchone()
        return None if row is None else (self._opened(row), row[6])

    def since(self, stored_at: float) -> list[Write]:
        """The readable copies of writes stored since this wall-clock second, in order."""
        with self._file.open().reading() as db:
            found = list(
                db.execute(f"SELECT {_COLUMNS} FROM copies WHERE stored_at >= ? ORDER BY n", (stored_at,))
            )
        return [self._opened(row) for row in found]

    def _opened(self, row: tuple[Any, ...]) -> Write:
        """Raises JournalUnreadable when the seal does not open."""
        id, kind, request_hash, version, ordering, after, _, sealed = row
        return seal.unseal(
            self._cipher, sealed, _PLACE, id=UUID(bytes=id), kind=kind, request_hash=request_hash,
            version=version, ordering=seal.split(ordering), after=seal.split(after),
        )  # fmt: skip

    def count(self) -> int:
        """How many copies were ever kept: changes whenever a direct write was stored here."""
        with self._file.open().reading() as db:
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'copies'").fetchone()
        return int(row[0]) if row else 0

    def ids(self) -> list[tuple[UUID, bytes]]:
        """The id and request hash of every copy, for the proof against the ledger."""
        with self._file.open().reading() as db:
            return [(UUID(bytes=id), h) for id, h in db.execute("SELECT id, request_hash FROM copies")]

    def prune(self, stored_before: float) -> int:
        """Forget copies stored before this wall-clock second; returns how many."""
        with self._file.open().transaction(Deadline.after(self._clock, 10 * _PATIENCE)) as db:
            db.execute(
                "DELETE FROM copies WHERE n IN (SELECT n FROM copies WHERE stored_at < ? LIMIT 1000)",
                (stored_before,),
            )
            return int(db.changes())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
