"""What is not finished, for people: page by page, and who waits behind whom."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from robusto.clock import Clock
from robusto.failures import stops_its_kind
from robusto.journal.browsing import Act, Page
from robusto.journal.entry import Entry, EntryState, Opened
from robusto.journal.sqlite import SqliteJournal
from robusto.order import Blocked

#: Entries that one look at the order goes through, and seconds for which it stands.
LOOK, _FRESH = 10_000, 2.0


@dataclass(frozen=True, slots=True)
class Parked:
    """Pending entries that wait behind a held or quarantined one, by sequence number.

    `behind` tells for each of them which entry it waits for in the end. Not `complete`: there is more
    behind what was looked at.
    """

    behind: Mapping[int, int]
    complete: bool

    def waiting_for(self, seq: int) -> list[int]:
        """Who waits behind this entry, in order."""
        return [waits for waits, root in self.behind.items() if root == seq]


class Backlog:
    """Reads for the console. Every method may raise JournalError."""

    def __init__(self, journal: SqliteJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._mutex = threading.Lock()
        self._parked = Parked({}, True)
        self._looked = float("-inf")

    def page(
        self, which: str, *, kind: str = "", reason: str = "", after_seq: int = 0, limit: int = 50
    ) -> Page:
        """One page of a list: `pending` (held ones too), `waiting`, `parked`, `held`, `quarantined`."""
        if which == "parked":
            return self._parked_page(kind, reason, after_seq, limit)
        return self._journal.page(which, kind=kind, reason=reason, after_seq=after_seq, limit=limit)

    def _parked_page(self, kind: str, reason: str, after_seq: int, limit: int) -> Page:
        found: list[Entry] = []
        seqs = [seq for seq in self.parked().behind if seq > after_seq]
        while seqs and len(found) <= limit:
            batch, seqs = seqs[:500], seqs[500:]
            found += [
                entry
                for entry in self._journal.entries(batch)
                if entry.state is EntryState.PENDING
                and kind in ("", entry.kind)
                and reason in ("", entry.reason)
            ]
        return Page(found[:limit], found[limit - 1].seq if len(found) > limit else None)

    def entries(self, seqs: list[int]) -> list[Entry]:
        """These entries as far as they are still unfinished."""
        return self._journal.entries(seqs) if seqs else []

    def find(self, low: UUID, high: UUID | None = None) -> Entry | None:
        """The entry with this id, or in this range of ids, whatever its state."""
        return self._journal.find(low, high)

    def show(self, id: UUID) -> Opened | None:
        """An entry in any state, with its write."""
        return self._journal.open_entry(id)

    def reasons(self, which: str) -> list[tuple[str, int]]:
        """How many of a list (`held`, `quarantined`) there are for each reason."""
        return self._journal.reasons(which)

    def changed_since(self, since: datetime, limit: int = 200) -> list[Entry]:
        """What became of entries from this moment on: applied, held, quarantined."""
        return self._journal.changed_since(since, limit)

    def acts_of(self, id: UUID) -> list[Act]:
        """What operators did with one write, the newest first."""
        return self._journal.acts_of(id)

    def parked(self) -> Parked:
        """Who waits behind whom; computed at most every two seconds."""
        with self._mutex:
            if abs(self._clock.monotonic() - self._looked) >= _FRESH:
                self._parked = self._look()
                self._looked = self._clock.monotonic()
            return self._parked

    def _look(self) -> Parked:
        """The drainer's rule, applied to what is set aside now."""
        first = self._journal.first_set_aside()
        if first is None:
            return Parked({}, True)
        blocked, behind, seen = Blocked(), dict[int, int](), 0
        for entry in self._journal.queue_from(first, LOOK):
            seen += 1
            if entry.state is EntryState.PENDING:
                blocker = blocked.behind(entry)
                if blocker is None:
                    continue
                behind[entry.seq] = behind.get(blocker, blocker)
            elif entry.state is EntryState.HELD and stops_its_kind(entry.reason):
                blocked.add_kind(entry.kind, entry.seq)
            blocked.add(entry)
        return Parked(behind, seen < LOOK)
