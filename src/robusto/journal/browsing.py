"""Pages of the journal for people who look: bounded reads, however much is pending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from robusto.journal import rows
from robusto.journal.entry import Entry, EntryState
from robusto.journal.looking import Looking
from robusto.journal.schema import COLUMNS, UNFINISHED

#: Entries that one page looks through at most; what lies behind is the next page's.
_SCAN = 10_000

#: The condition of each list, in words that the partial indexes know.
_LISTS = {
    "unfinished": UNFINISHED,
    "pending": f"{UNFINISHED} AND state <> 'quarantined'",
    "waiting": f"{UNFINISHED} AND state = 'pending'",
    "held": "state = 'held'",
    "quarantined": "state = 'quarantined'",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in order; `next_seq` is where the next page begins, None at the end."""

    entries: list[Entry]
    next_seq: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the order of an unfinished entry depends on."""

    seq: int
    kind: str
    state: EntryState
    reason: str
    ordering: tuple[bytes, ...]
    after: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator did."""

    at: datetime
    who: str
    verb: str
    reason: str
    result: str


class Browsing(Looking):
    """Reads of bounded size. Every method may raise JournalError."""

    def page(
        self, which: str, *, kind: str = "", reason: str = "", after_seq: int = 0, limit: int = 50
    ) -> Page:
        """One page of a list: unfinished, pending (held ones too), waiting, held, quarantined."""
        scan = f"FROM entries WHERE {_LISTS[which]} AND seq > ? ORDER BY seq LIMIT {_SCAN}"
        with self._opening.current().reading() as db:
            found = db.execute(
                f"SELECT {COLUMNS} FROM (SELECT {COLUMNS} {scan})"
                " WHERE (? = '' OR kind = ?) AND (? = '' OR reason = ?) LIMIT ?",
                (after_seq, kind, kind, reason, reason, limit + 1),
            )
            entries = [rows.entry_of(row) for row in found]
            if len(entries) > limit:
                return Page(entries[:limit], entries[limit - 1].seq)
            seen, last = db.execute(f"SELECT count(*), max(seq) FROM (SELECT seq {scan})", (after_seq,)).get
        return Page(entries, last if seen == _SCAN else None)

    def entries(self, seqs: list[int]) -> list[Entry]:
        """These entries, in order, as far as they are still unfinished."""
        marks = ", ".join("?" * len(seqs))
        with self._opening.current().reading() as db:
            found = db.execute(
                f"SELECT {COLUMNS} FROM entries WHERE seq IN ({marks}) AND {UNFINISHED} ORDER BY seq", seqs
            )
            return [rows.entry_of(row) for row in found]

    def queue_from(self, first: int, limit: int) -> Iterator[Standing]:
        """Unfinished entries from this place on, as far as their order goes."""
        with self._opening.current().reading() as db:
            ordinary = [rows.entry_of(row) for row in rows.unfinished(db, first - 1, limit)]
            again = list(rows.unfinished_again(db, (first, 0, 0), limit))
        placed = [((entry.seq, 0, entry.seq), entry) for entry in ordinary]
        placed += [((*row[-2:], row[0]), rows.entry_of(row)) for row in again]
        for _, entry in sorted(placed, key=lambda each: each[0])[:limit]:
            yield Standing(entry.seq, entry.kind, entry.state, entry.reason, entry.ordering, entry.after)

    def first_set_aside(self) -> int | None:
        """The place of the first entry that is held or quarantined."""
        with self._opening.current().reading() as db:
            found = db.execute(
                "SELECT min(place) FROM (SELECT min(seq) AS place FROM entries WHERE state = 'held'"
                " UNION ALL SELECT min(seq) FROM entries WHERE state = 'quarantined'"
                " UNION ALL SELECT min(place) FROM returned JOIN entries USING (seq)"
                " WHERE waits = 1 AND state IN ('held', 'quarantined'))"
            ).get
        return None if found is None else int(found)

    def reasons(self, which: str) -> list[tuple[str, int]]:
        """How many entries of a list (held, quarantined) there are for each reason, most first."""
        with self._opening.current().reading() as db:
            found = db.execute(
                f"SELECT reason, count(*) AS n FROM entries WHERE {_LISTS[which]}"
                " GROUP BY reason ORDER BY n DESC, reason LIMIT 50"
            )
            return [(reason, int(n)) for reason, n in found]

    def set_aside_since(self, which: str) -> datetime | None:
        """Since when the oldest entry of a list (held, quarantined) has been there."""
        column = "held_since" if which == "held" else "changed_at"
        with self._opening.current().reading() as db:
            found = db.execute(f"SELECT min({column}) FROM entries WHERE {_LISTS[which]}").get
        return None if found is None else datetime.fromtimestamp(found, UTC)

    def changed_since(self, since: datetime, limit: int) -> list[Entry]:
        """Entries that were applied or set aside from this moment on, in their order; the first ones."""
        conditions = ("state IN ('applied', 'discarded')", "state = 'held'", "state = 'quarantined'")
        found: list[Entry] = []
        with self._opening.current().reading() as db:
            for condition in conditions:
                query = (
                    f"SELECT {COLUMNS} FROM entries WHERE {condition} AND changed_at >= ?"
                    " ORDER BY changed_at, seq LIMIT ?"
                )
                found += [rows.entry_of(row) for row in db.execute(query, (since.timestamp(), limit))]
        drained = (entry for entry in found if entry.state is not EntryState.DISCARDED)
        return sorted(drained, key=lambda entry: entry.seq)[:limit]

    def acts_of(self, id: UUID, limit: int = 20) -> list[Act]:
        """What operators did with one write, the newest first."""
        with self._opening.current().reading() as db:
            found = db.execute(
                "SELECT at, who, verb, reason, result FROM acts WHERE entry = ? ORDER BY id DESC LIMIT ?",
                (id.bytes, limit),
            )
            return [Act(datetime.fromtimestamp(at, UTC), *rest) for at, *rest in found]
