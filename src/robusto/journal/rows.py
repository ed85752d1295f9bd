"""Rows of the entries table as values, and the transitions between their states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from robusto import local
from robusto.errors import EntryChanged, JournalUnreadable, LeaseLost
from robusto.journal import seal
from robusto.journal.cipher import Cipher
from robusto.journal.entry import Counts, Entry, EntryState
from robusto.journal.schema import COLUMNS, RETURNED, UNFINISHED
from robusto.write import Write

#: The condition for entries that were not put back: their place is their number.
_ORDINARY = "NOT EXISTS (SELECT 1 FROM returned WHERE returned.seq = entries.seq)"

#: How often an entry is read before its page counts as damaged.
_READS = 3


def place_bytes(generation: UUID, seq: int) -> bytes:
    """What binds a seal to one generation and one sequence number."""
    return generation.bytes + seq.to_bytes(8, "big")


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The value of a row selected with COLUMNS."""
    return Entry(
        seq=row[0],
        id=UUID(bytes=row[1]),
        kind=row[2],
        state=EntryState(row[3]),
        request_hash=row[4],
        version=row[5],
        ordering=seal.split(row[6]),
        after=seal.split(row[7]),
        accepted_at=datetime.fromtimestamp(row[8], UTC),
        changed_at=datetime.fromtimestamp(row[9], UTC),
        maybe_applied=bool(row[10]),
        reason=row[11],
        held_since=row[12],
        not_before=row[13],
    )


def unseal(cipher: Cipher, sealed: bytes, generation: UUID, entry: Entry) -> Write:
    """The write of an entry. Raises JournalUnreadable."""
    return seal.unseal(
        cipher, sealed, place_bytes(generation, entry.seq), id=entry.id, kind=entry.kind,
        request_hash=entry.request_hash, version=entry.version, ordering=entry.ordering, after=entry.after,
    )  # fmt: skip


def last_seq(db: local.Connection) -> int:
    """The last sequence number that was ever given in this file."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(row[0]) if row else 0


def insert(
    db: local.Connection,
    cipher: Cipher,
    generation: UUID,
    write: Write,
    *,
    reason: str,
    maybe_applied: bool,
    readable: bool = True,
) -> Entry:
    """Append one write under the next sequence number; of an unreadable one what stands beside the seal."""
    seq = last_seq(db) + 1
    accepted = write.accepted_at.timestamp()
    row = (
        seq, write.id.bytes, write.kind, "pending", write.request_hash, write.version,
        seal.join(write.ordering), seal.join(write.after), accepted, accepted,
        int(maybe_applied), reason, None, 0.0,
    )  # fmt: skip
    sealed = seal.seal(cipher, write, place_bytes(generation, seq)) if readable else b""
    put(db, (*row, sealed))
    return entry_of(row)


def put(db: local.Connection, row: tuple[Any, ...]) -> None:
    """Insert a whole row as it is, and what it makes others wait for."""
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO entries ({COLUMNS}, sealed) VALUES ({marks})", row)
    if row[3] in ("pending", "held", "quarantined"):
        let_wait(db, row[0], seal.split(row[6]))


def let_wait(db: local.Connection, seq: int, ordering: tuple[bytes, ...]) -> None:
    """From now on whatever shares one of these ordering keys waits behind this entry."""
    waiting = [(digest, seq) for digest in set(ordering)]
    db.executemany("INSERT OR IGNORE INTO waiting (digest, seq) VALUES (?, ?)", waiting)


def put_back(db: local.Connection, seq: int, at: datetime, *, place: int, copy: int = 0) -> None:
    """Give an unfinished entry this place in the order, unless it had one before."""
    db.execute(
        "INSERT INTO returned (seq, place, copy, since, waits) VALUES (?, ?, ?, ?, 1)"
        " ON CONFLICT (seq) DO UPDATE SET since = excluded.since, waits = 1",
        (seq, place, copy, at.timestamp()),
    )


def read_one(db: local.Connection, query: str, seq: int) -> tuple[Any, ...] | None:
    """The row of one entry; None when there is none, () when it lies on a damaged page.

    A disk that fails is asked more than once: an entry is given up only for what stays unreadable.
    """
    for _ in range(_READS):
        with suppress(local.IOFailure, *local.Corrupt):
            return db.execute(query, (seq,)).fetchone()
    return ()


def sealed_of(db: local.Connection, seq: int) -> bytes:
    """The seal of an entry. Raises JournalUnreadable when the entry is gone or its page damaged."""
    row = read_one(db, "SELECT sealed FROM entries WHERE seq = ?", seq)
    if row == ():
        raise JournalUnreadable(f"entry {seq} lies on a damaged page")
    if row is None:
        raise JournalUnreadable(f"entry {seq} is gone")
    return bytes(row[0])


def damage_at(db: local.Connection, seq: int, cipher: Cipher, generation: UUID) -> str:
    """What is wrong with the entry of this number, or "" (also when it was pruned)."""
    try:
        row = db.execute(f"SELECT {COLUMNS}, sealed FROM entries WHERE seq = ?", (seq,)).fetchone()
        if row is not None:
            unseal(cipher, row[-1], generation, entry_of(row))
    except (local.SQLiteError, JournalUnreadable) as error:
        return f"entry {seq}: {error}"
    return ""


def find(db: local.Connection, low: UUID, high: UUID) -> Entry | None:
    """The entry whose id lies in this range, if there is one."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM entries WHERE id BETWEEN ? AND ?", (low.bytes, high.bytes)
    ).fetchone()
    return entry_of(row) if row else None


def waits_behind(db: local.Connection, digests: tuple[bytes, ...]) -> bool:
    """Whether an unfinished entry holds one of these ordering keys."""
    marks = ", ".join("?" * len(digests))
    found = db.execute(f"SELECT 1 FROM waiting WHERE digest IN ({marks}) LIMIT 1", digests).fetchone()
    return found is not None


def unfinished(db: local.Connection, after_seq: int, limit: int) -> Iterator[tuple[Any, ...]]:
    """Rows that are not finished and were never put back, in order, without their seals."""
    return db.execute(
        f"SELECT {COLUMNS} FROM entries WHERE {UNFINISHED} AND seq > ? AND {_ORDINARY} ORDER BY seq LIMIT ?",
        (after_seq, limit),
    )


def unfinished_again(
    db: local.Connection, after: tuple[int, int, int], limit: int
) -> Iterator[tuple[Any, ...]]:
    """Rows that were put back and are not finished, behind this one in the order (place, copy, seq).

    Each with its place and copy at the end.
    """
    return db.execute(
        f"SELECT {COLUMNS}, place, copy FROM returned JOIN entries USING (seq)"
        " WHERE waits = 1 AND (place, copy, seq) > (?, ?, ?) ORDER BY place, copy, seq LIMIT ?",
        (*after, limit),
    )


def settled(db: local.Connection, after_seq: int, limit: int) -> Iterator[tuple[Any, ...]]:
    """Rows that are applied, quarantined or discarded, in order, without their seals."""
    return db.execute(
        f"SELECT {COLUMNS} FROM entries WHERE state IN ('applied', 'quarantined', 'discarded')"
        " AND seq > ? ORDER BY seq LIMIT ?",
        (after_seq, limit),
    )


def complete(db: local.Connection) -> bool:
    """Whether the file has what was added to its format later."""
    found = db.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'returned%'").get
    return bool(found == RETURNED.count("CREATE"))


def counts(db: local.Connection) -> Counts:
    """The counters, which triggers keep in the transaction of every change."""
    found = db.execute(  # one statement, so that it is one snapshot
        "SELECT state, n FROM counters"
        " UNION ALL SELECT 'last_seq', seq FROM sqlite_sequence WHERE name = 'entries'"
    )
    return Counts(**{"last_seq": 0, **dict(found)})


def oldest_pending(db: local.Connection) -> datetime | None:
    """Since when the oldest entry that still has to reach PostgreSQL waits."""
    row = db.execute(
        "SELECT ifnull((SELECT since FROM returned WHERE returned.seq = entries.seq), accepted_at)"
        f" FROM entries WHERE {UNFINISHED} AND state <> 'quarantined' ORDER BY seq LIMIT 1"
    ).fetchone()
    return datetime.fromtimestamp(row[0], UTC) if row else None


def check_token(db: local.Connection, token: int) -> None:
    """Raises LeaseLost unless this token is the newest one given."""
    current = db.execute("SELECT value FROM meta WHERE name = 'lease_token'").fetchone()
    if current is None or current[0] != token:
        raise LeaseLost("another drainer has taken over")


def move(
    db: local.Connection,
    entry: Entry,
    state: EntryState,
    at: datetime,
    *,
    reason: str,
    not_before: float = 0.0,
) -> None:
    """Give an entry its next state, unless somebody else has decided about it meanwhile."""
    now = at.timestamp()
    since = entry.held_since if entry.reason == reason else None  # patience begins with each reason
    # It begins anew when the clock was set back: else it would last until then has come again.
    held_since = min(since or now, now) if state is EntryState.HELD else None
    db.execute(
        "UPDATE entries SET state = ?, changed_at = ?, reason = ?, held_since = ?, not_before = ?"
        " WHERE seq = ? AND version = ? AND state = ?",
        (
            state.value, now, reason, held_since, not_before,
            entry.seq, entry.version, entry.state.value,
        ),
    )  # fmt: skip
    if db.changes() != 1:
        raise EntryChanged(f"entry {entry.seq} was changed by somebody else")


def record_act(
    db: local.Connection, at: datetime, *, who: str, verb: str, entry: Entry, reason: str, result: str
) -> None:
    """Put an operator's act on record, in the transaction that carries it out."""
    db.execute(
        "INSERT INTO acts (at, who, verb, entry, reason, result) VALUES (?, ?, ?, ?, ?, ?)",
        (at.timestamp(), who, verb, entry.id.bytes, reason, result),
    )
