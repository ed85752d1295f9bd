"""What PostgreSQL does not have yet, decrypted once per process: laid over every read."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime

from robusto.journal.copies import Copies
from robusto.journal.entry import Opened
from robusto.journal.sqlite import SqliteJournal
from robusto.write import Write, WriteState


class Overlay:
    """The unfinished and the most recent writes of this host. Every method may raise JournalError."""

    def __init__(self, journal: SqliteJournal, copies: Copies) -> None:
        self._journal = journal
        self._copies = copies
        self._mutex = threading.Lock()
        self._opened: dict[tuple[int, int], Opened] = {}

    def unfinished(self, kinds: Collection[str]) -> list[tuple[Write, WriteState]]:
        """Readable writes of these kinds that are pending or in quarantine, in order."""
        current: dict[tuple[int, int], Opened] = {}
        found: list[tuple[Write, WriteState]] = []
        with self._mutex:
            for opened in self._journal.unfinished():
                entry = opened.entry
                known = self._opened.get((entry.seq, entry.version), opened)
                current[entry.seq, entry.version] = known
                if entry.kind in kinds and known.write is not None:
                    found.append((known.write, entry.state.as_write_state))
            self._opened = current
        return found

    def recent(self, kinds: Collection[str], since: datetime) -> list[Write]:
        """Readable writes of these kinds that this host saw stored since then."""
        applied = [each.write for each in self._journal.applied_since(since) if each.write is not None]
        found = [*self._copies.since(since.timestamp()), *applied]
        return sorted((w for w in found if w.kind in kinds), key=lambda write: write.accepted_at)
