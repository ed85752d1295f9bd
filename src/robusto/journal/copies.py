"""Sealed copies of direct writes: not flushed, they survive the death of every process.

They answer a repeat in an outage, show what the local read copy has not seen yet, and let a
PostgreSQL that was set back by a day get the day's writes again (rule 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalUnreadable
from robusto.journal import seal
from robusto.journal.cipher import Cipher
from robusto.journal.entry import Copy
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
CREATE TABLE IF NOT EXISTS behind (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS copy_gone AFTER DELETE ON copies BEGIN DELETE FROM behind WHERE n = OLD.n; END;
"""
_COLUMNS = "id, kind, request_hash, version, ordering, after, stored_at, sealed"
_PLACE = b"robusto.copy"
#: Seconds that a caller, whose write is stored already, may be kept for its copy.
_PATIENCE = 0.25
#: Copies that are read, or forgotten, at a time.
_BATCH = 500


class Copies:
    """The copies of one host, in a file of their own beside the journal.

    Each knows the last entry of the journal that was accepted before it. A direct write waits behind
    every unfinished entry that shares an ordering key and keeps others from them until its copy is
    there, so this number tells its place among them, and no clock is needed (rule 12).
    """

    def __init__(
        self, folder: Path, keys: tuple[bytes, ...], clock: Clock, last_seq: Callable[[], int]
    ) -> None:
        """`last_seq` is the last sequence number that the journal gave; it may raise JournalError."""
        self._file = SideFile(folder / "copies.db", _TABLE)
        self._cipher = Cipher(keys)
        self._clock = clock
        self._last_seq = last_seq
        self._puts: GroupCommit[tuple[Write, int], bool] = GroupCommit(self._put_group)

    def keep(self, write: Write) -> None:
        """Keep a copy of a write that PostgreSQL has just committed. Raises JournalError."""
        self._puts.put((write, self._last_seq()), Deadline.after(self._clock, _PATIENCE))

    def _put_group(
        self, take: Callable[[], Sequence[tuple[Write, int]]], deadline: Deadline
    ) -> Sequence[bool | Exception]:
        with self._file.open().transaction(deadline) as db:
            group = take()
            stored_at = self._clock.wall().timestamp()
            for write, behind in group:
                db.execute(
                    f"INSERT OR IGNORE INTO copies ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        write.id.bytes, write.kind, write.request_hash, write.version,
                        seal.join(write.ordering), seal.join(write.after), stored_at,
                        seal.seal(self._cipher, write, _PLACE),
                    ),
                )  # fmt: skip
                if db.changes():
                    db.execute("INSERT INTO behind (n, seq) VALUES (?, ?)", (db.last_insert_rowid(), behind))
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

    def kept(self) -> Iterator[list[Copy]]:
        """Every copy in the order in which they were kept, in batches, unreadable ones too."""
        n = 0
        query = f"SELECT {_COLUMNS}, n, ifnull(seq, 0) FROM copies LEFT JOIN behind USING (n)"
        while True:
            with self._file.open().reading() as db:
                found = list(db.execute(f"{query} WHERE n > ? ORDER BY n LIMIT ?", (n, _BATCH)))
            yield [self._copy(row[:8], *row[8:]) for row in found]
            if len(found) < _BATCH:
                return
            n = found[-1][8]

    def newest(self, limit: int) -> list[UUID]:
        """The ids of the copies that were kept last."""
        with self._file.open().reading() as db:
            found = db.execute("SELECT id FROM copies ORDER BY n DESC LIMIT ?", (limit,))
            return [UUID(bytes=id) for (id,) in found]

    def forget(self, copies: Sequence[Copy]) -> None:
        """Give up the copies of writes that the journal has taken over. Raises JournalError."""
        with self._file.open().transaction(Deadline.after(self._clock, 10 * _PATIENCE)) as db:
            db.executemany("DELETE FROM copies WHERE n = ?", [(copy.n,) for copy in copies])

    def _copy(self, row: tuple[Any, ...], n: int, behind: int) -> Copy:
        try:
            return Copy(n, self._opened(row), behind, readable=True)
        except JournalUnreadable:
            id, kind, request_hash, version, ordering, after, stored_at, _ = row
            shell = Write(
                id=UUID(bytes=id), kind=kind, payload={}, request_hash=request_hash, submit_id=UUID(int=0),
                version=version, ordering=seal.split(ordering), after=seal.split(after),
                accepted_at=datetime.fromtimestamp(stored_at, UTC),
            )  # fmt: skip
            return Copy(n, shell, behind, readable=False)

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
