"""Where is a write now: asked long after it was sent, by its id or its protocol number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from robusto.deadline import Deadline
from robusto.journal.copies import Copies
from robusto.journal.sqlite import SqliteJournal
from robusto.postgres import ledger
from robusto.postgres.ledger import LedgerRow
from robusto.reading import Reading
from robusto.write import WriteState


@dataclass(frozen=True, slots=True)
class Found:
    """Where a write is, for whoever asks later."""

    id: UUID
    kind: str
    state: WriteState
    accepted_at: datetime
    stored_at: datetime | None
    reason: str


class Finding:
    """Looks in the journal, then among the copies, then in the ledger."""

    def __init__(self, journal: SqliteJournal, copies: Copies, reading: Reading) -> None:
        self._journal = journal
        self._copies = copies
        self._reading = reading

    def find(self, low: UUID, high: UUID, deadline: Deadline) -> Found | None:
        """The write whose id lies in this range, or None.

        Raises DatabaseUnavailable when it is not known here and PostgreSQL cannot be asked, and
        JournalError.
        """
        entry = self._journal.find(low, high)
        if entry is not None:
            state = entry.state.as_write_state
            stored = entry.changed_at if state is WriteState.STORED else None
            return Found(entry.id, entry.kind, state, entry.accepted_at, stored, entry.reason)
        copy = self._copies.find(low, high)
        if copy is not None:
            write, stored_at = copy
            at = datetime.fromtimestamp(stored_at, UTC)
            return Found(write.id, write.kind, WriteState.STORED, write.accepted_at, at, "")
        rows = self._reading.read(lambda tx: ledger.rows_between(tx, low, high), deadline)
        return _in_ledger(rows[0]) if rows else None


def _in_ledger(row: LedgerRow) -> Found:
    applied = row.state == "applied"
    state = WriteState.STORED if applied else WriteState.QUARANTINED
    return Found(row.key, row.kind, state, row.accepted_at, row.applied_at if applied else None, "")
