"""The conservation proof: the journal against itself, and both against PostgreSQL's ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.journal.copies import Copies
from robusto.journal.entry import EntryState
from robusto.journal.sqlite import SqliteJournal
from robusto.postgres import ledger
from robusto.postgres.ledger import LedgerRow
from robusto.postgres.target import PostgresTarget

T = TypeVar("T")

_BATCH = 1000
_DECIDED = (EntryState.QUARANTINED, EntryState.DISCARDED)
#: Seconds for one query of the proof: it is not a request, but it must end.
_QUERY_SECONDS = 30.0


@dataclass(slots=True)
class Proof:
    """The figures and every finding against the promise; no findings means that it holds."""

    accepted: int = 0
    stored: int = 0
    pending: int = 0
    quarantined: int = 0
    discarded: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the promise."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The proof as every interface gives it."""
        return {
            "holds": self.holds, "accepted": self.accepted, "stored": self.stored, "pending": self.pending,
            "quarantined": self.quarantined, "discarded": self.discarded, "findings": self.findings,
        }  # fmt: skip


class Verifier:
    """Counts rows, not counters, and looks every retained key up in the ledger."""

    def __init__(self, journal: SqliteJournal, copies: Copies, target: PostgresTarget, clock: Clock) -> None:
        self._journal = journal
        self._copies = copies
        self._target = target
        self._clock = clock

    def verify(self) -> Proof:
        """Raises DatabaseUnavailable or JournalError when it cannot look."""
        proof = Proof()
        self._journal_against_itself(proof)
        self._entries_against_ledger(proof)
        self._copies_against_ledger(proof)
        direct = self._target.read(
            lambda tx: ledger.direct_writes(tx, self._journal.journal_id()), self._deadline()
        )
        proof.stored += direct
        proof.accepted += direct
        if proof.accepted != proof.stored + proof.pending + proof.quarantined + proof.discarded:
            proof.findings.append("accepted = stored + pending + quarantined + discarded does not hold")
        return proof

    def _journal_against_itself(self, proof: Proof) -> None:
        counts, rows = self._journal.counts_twice()
        kept = {state.value: rows.get(state.value, 0) for state in EntryState}
        for state, n in kept.items():
            if n != getattr(counts, state):
                proof.findings.append(f"{n} entries are {state}, the counter says {getattr(counts, state)}")
        if not counts.balanced:
            proof.findings.append(f"the journal gave {counts.last_seq} numbers but cannot account for all")
        proof.accepted += counts.last_seq
        proof.stored += kept["applied"] + counts.pruned
        proof.pending += kept["pending"] + kept["held"]
        proof.quarantined += kept["quarantined"]
        proof.discarded += kept["discarded"]

    def _entries_against_ledger(self, proof: Proof) -> None:
        for batch in _batches(self._journal.all_entries()):
            rows = self._ledger([id for id, _, _ in batch])
            for id, state, request_hash in batch:
                row = rows.get(id)
                same = row is not None and row.request_hash == request_hash
                applied = same and row is not None and row.state == "applied"
                if state is EntryState.APPLIED and not applied:
                    proof.findings.append(f"{id} is marked applied, but the ledger does not have it")
                if state in _DECIDED and applied and self._still(id, state):
                    proof.findings.append(f"{id} is {state.value} and yet applied")

    def _still(self, id: UUID, state: EntryState) -> bool:
        """Whether the entry is still in this state: a person may have sent it again meanwhile."""
        entry = self._journal.find(id)
        return entry is not None and entry.state is state

    def _copies_against_ledger(self, proof: Proof) -> None:
        for batch in _batches(self._copies.ids()):
            rows = self._ledger([id for id, _ in batch])
            for id, request_hash in batch:
                row = rows.get(id)
                if row is None or row.request_hash != request_hash or row.state != "applied":
                    proof.findings.append(f"{id} was stored directly, but the ledger does not have it")

    def _ledger(self, ids: list[UUID]) -> dict[UUID, LedgerRow]:
        found = self._target.read(lambda tx: ledger.rows_of(tx, ids), self._deadline())
        return {row.key: row for row in found}

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, _QUERY_SECONDS)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
