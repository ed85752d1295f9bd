"""What can be seen of the journal, without waiting for any writer."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from robusto import local
from robusto.clock import Clock
from robusto.failures import needs_a_person
from robusto.journal import rows
from robusto.journal.entry import Counts, Entry, EntryState, Opened
from robusto.journal.opening import JournalFile, Opening
from robusto.journal.schema import COLUMNS, UNFINISHED

#: Entries that are read at a time: memory stays flat however many are pending.
_BATCH = 500


class Looking:
    """The reads of the journal. Every method may raise JournalError."""

    def __init__(self, opening: Opening, clock: Clock) -> None:
        self._opening = opening
        self._clock = clock

    def find(self, low: UUID, high: UUID | None = None) -> Entry | None:
        """The entry with this id, or in this range of ids."""
        with self._opening.current().reading() as db:
            return rows.find(db, low, high or low)

    def waits_behind(self, digests: tuple[bytes, ...]) -> bool:
        """Whether an unfinished entry holds one of these ordering keys."""
        if not digests:
            return False
        with self._opening.current().reading() as db:
            return rows.waits_behind(db, digests)

    def unfinished(self, after_seq: int = 0) -> Iterator[Opened]:
        """Every pending, held or quarantined entry behind this place, in order, batch by batch.

        Seals open on demand. What was put back may be met a second time when one goes on from a place.
        """
        return heapq.merge(
            self._ordinary(after_seq),
            self._put_back(after_seq),
            key=lambda each: each.position,
        )

    def _ordinary(self, after_seq: int) -> Iterator[Opened]:
        while True:
            file = self._opening.current()
            with file.reading() as db:
                batch = [rows.entry_of(row) for row in rows.unfinished(db, after_seq, _BATCH)]
            for entry in batch:
                yield self._opened(file, entry)
            if len(batch) < _BATCH:
                return
            after_seq = batch[-1].seq

    def _put_back(self, after_place: int) -> Iterator[Opened]:
        after = (after_place, 0, 0)
        while True:
            file = self._opening.current()
            with file.reading() as db:
                found = list(rows.unfinished_again(db, after, _BATCH))
            for row in found:
                yield self._opened(file, rows.entry_of(row), *row[-2:])
            if len(found) < _BATCH:
                return
            after = (*found[-1][-2:], found[-1][0])

    def put_back_pending(self) -> int:
        """How many entries that were put back were not tried since."""
        with self._opening.current().reading() as db:
            query = "SELECT count(*) FROM returned JOIN entries USING (seq) WHERE waits = 1"
            return int(db.execute(f"{query} AND state = 'pending'").get)

    def settled(self) -> Iterator[list[Entry]]:
        """Every entry that is applied, quarantined or discarded, in order, in batches."""
        seq = 0
        while True:
            with self._opening.current().reading() as db:
                batch = [rows.entry_of(row) for row in rows.settled(db, seq, _BATCH)]
            yield batch
            if len(batch) < _BATCH:
                return
            seq = batch[-1].seq

    def newest_applied(self, limit: int) -> list[UUID]:
        """The ids of the entries that were applied last."""
        with self._opening.current().reading() as db:
            found = db.execute(
                "SELECT id FROM entries WHERE state IN ('applied', 'discarded') AND state = 'applied'"
                " ORDER BY changed_at DESC LIMIT ?",
                (limit,),
            )
            return [UUID(bytes=id) for (id,) in found]

    def last_seq(self) -> int:
        """The last sequence number that was given."""
        with self._opening.current().reading() as db:
            return rows.last_seq(db)

    def open_entry(self, id: UUID) -> Opened | None:
        """One entry with its write, for an operator."""
        file = self._opening.current()
        with file.reading() as db:
            entry = rows.find(db, id, id)
        return None if entry is None else self._opened(file, entry)

    def _opened(self, file: JournalFile, entry: Entry, place: int | None = None, copy: int = 0) -> Opened:
        cipher, generation = self._opening.cipher, file.generation.id

        def sealed() -> bytes:
            with file.reading() as db:
                return rows.sealed_of(db, entry.seq)

        return Opened(entry, lambda: rows.unseal(cipher, sealed(), generation, entry), place, copy)

    def counts(self) -> Counts:
        """How many entries are in each state."""
        with self._opening.current().reading() as db:
            return rows.counts(db)

    def counts_twice(self) -> tuple[Counts, dict[str, int]]:
        """The counters, and the rows counted one by one, in one snapshot."""
        with self._opening.current().reading() as db:
            db.execute("BEGIN")
            try:
                counted = dict(db.execute("SELECT state, count(*) FROM entries GROUP BY state"))
                return rows.counts(db), counted
            finally:
                db.execute("COMMIT")

    def oldest_pending(self) -> float | None:
        """Seconds that the oldest entry has waited that still has to reach PostgreSQL."""
        with self._opening.current().reading() as db:
            oldest = rows.oldest_pending(db)
        return None if oldest is None else max(0.0, (self._clock.wall() - oldest).total_seconds())

    def waiting_kinds(self) -> list[str]:
        """The kinds of what is not finished."""
        with self._opening.current().reading() as db:
            found = db.execute(f"SELECT DISTINCT kind FROM entries WHERE {UNFINISHED} ORDER BY kind")
            return [kind for (kind,) in found]

    def alarming_reasons(self) -> list[str]:
        """Why entries are held, where a person has to act."""
        with self._opening.current().reading() as db:
            found = db.execute(f"SELECT DISTINCT reason FROM entries WHERE {UNFINISHED} AND state = 'held'")
            return sorted(reason for (reason,) in found if needs_a_person(reason))

    def all_entries(self) -> Iterator[tuple[UUID, EntryState, bytes]]:
        """Id, state and request hash of every entry that is kept, in order."""
        seq = 0
        while True:
            with self._opening.current().reading() as db:
                batch = list(
                    db.execute(
                        "SELECT seq, id, state, request_hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
                        (seq, _BATCH),
                    )
                )
            yield from ((UUID(bytes=id), EntryState(state), h) for _, id, state, h in batch)
            if len(batch) < _BATCH:
                return
            seq = batch[-1][0]

    def applied_since(self, since: datetime) -> list[Opened]:
        """Entries that were applied after this moment, in the order of their change."""
        file = self._opening.current()
        with file.reading() as db:
            found = db.execute(
                f"SELECT {COLUMNS} FROM entries"
                " WHERE state IN ('applied', 'discarded') AND changed_at >= ? ORDER BY changed_at, seq",
                (since.timestamp(),),
            )
            entries = [rows.entry_of(row) for row in found]
        return [self._opened(file, entry) for entry in entries if entry.state is EntryState.APPLIED]

    def acts(self, limit: int = 100) -> list[tuple[float, str, str, UUID, str, str]]:
        """What operators did: at, who, verb, write, reason, result; the newest first."""
        with self._opening.current().reading() as db:
            found = db.execute(
                "SELECT at, who, verb, entry, reason, result FROM acts ORDER BY id DESC LIMIT ?", (limit,)
            )
            return [(at, who, verb, UUID(bytes=e), why, result) for at, who, verb, e, why, result in found]

    def damages(self) -> list[str]:
        """Every page is read and every seal opened; what was found damaged."""
        file, found = self._opening.current(), []
        with file.reading() as db:
            try:
                found += [text for (text,) in db.execute("PRAGMA integrity_check(20)") if text != "ok"]
            except local.SQLiteError as error:
                found.append(f"a page cannot be read: {error}")
            last = rows.last_seq(db)
        for seq in range(1, last + 1):
            with file.reading() as db:
                damage = rows.damage_at(db, seq, self._opening.cipher, file.generation.id)
            found += [damage] if damage else []
        return found
