"""5a. What PostgreSQL has forgotten is offered again, once and in order (rule 10).

Nothing is sent from here. What the ledger lacks goes back into the queue, each write in the place that
it had, and the drainer does what it always does: so a kill at any step, a refusal, a lock that somebody
forgot and an outage in the middle mean what they always mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from uuid import UUID

from robusto.books import Books
from robusto.clock import Clock
from robusto.continuity import Continuity, Incident, Phase
from robusto.deadline import Deadline
from robusto.errors import DatabaseUnavailable, EntryChanged, LeaseLost
from robusto.journal.copies import Copies
from robusto.journal.entry import Copy, Entry, EntryState
from robusto.journal.sqlite import SqliteJournal
from robusto.lease import Lease
from robusto.postgres import ledger
from robusto.postgres.ledger import Fence, LedgerRow
from robusto.postgres.lineage import SET_BACK
from robusto.postgres.target import PostgresTarget
from robusto.quarantine import shell_of
from robusto.replica import ReplicaStore

#: Seconds for one query, and between two counts of what waits for an operator's word.
_QUERY_SECONDS, _COUNT_SECONDS = 10.0, 10.0


class _Away(Exception):
    """PostgreSQL cannot be asked now; the next turn begins again, and finds what is done."""


class Reoffer:
    """Works under the lease, on a server that no other connection of the host is let into."""

    def __init__(
        self,
        journal: SqliteJournal,
        copies: Copies,
        target: PostgresTarget,
        lease: Lease,
        continuity: Continuity,
        books: Books,
        replicas: Collection[ReplicaStore],
        clock: Clock,
        *,
        ask: bool,
    ) -> None:
        """target: without a guard. ask: an operator has to say so first."""
        self._journal = journal
        self._copies = copies
        self._target = target
        self._lease = lease
        self._continuity = continuity
        self._books = books
        self._replicas = replicas
        self._clock = clock
        self._ask = ask
        self._counted = float("-inf")

    def put_back(self, go_on: Callable[[], bool]) -> bool:
        """Put back everything that the server lacks; true once the drain may begin. Raises JournalError."""
        incident = self._continuity.incident()
        if incident is None or incident.phase is not Phase.SET_BACK:
            return False
        try:
            return self._put_back(incident, go_on)
        except (_Away, DatabaseUnavailable, EntryChanged):
            return False
        except LeaseLost:
            self._lease.release()
            return False

    def finish(self, *, tried_all: bool) -> None:
        """After a pass: once everything that was put back was tried the direct path may open."""
        incident = self._continuity.incident()
        if incident is None or incident.phase is not Phase.OFFERING:
            return
        if tried_all or self._journal.put_back_pending() == 0:
            self._continuity.finish()

    def going_on(self) -> bool:
        """Whether the direct path has to stay shut."""
        return self._continuity.incident() is not None

    def _put_back(self, incident: Incident, go_on: Callable[[], bool]) -> bool:
        seen = self._target.lineage(self._deadline())
        if seen.in_recovery or (self._ask and not incident.allowed and self._waits()):
            return False
        self._announce()
        for lost, unfenced in self._entries():
            if not go_on():
                return False
            self._put_entries_back(lost, unfenced, self._token())
        for copies in self._direct():
            if not go_on():
                return False
            self._put_direct_back(copies, self._token())
        for replica in self._replicas:
            replica.read_all_again()
        # Another server by now? Then what was looked up there says nothing about this one.
        same = self._target.lineage(self._deadline()).key == seen.key
        self._target.close()  # until the next time
        return same and self._continuity.take_over(seen, incident)

    def _put_entries_back(self, lost: list[Entry], unfenced: list[Entry], token: int) -> None:
        if lost:
            self._journal.put_back(lost, SET_BACK, token)
        for entry in unfenced:
            self._fence(entry)
        self._continuity.done(drained=len(lost), fences=len(unfenced))

    def _put_direct_back(self, copies: list[Copy], token: int) -> None:
        """First into the journal, then out of the copies: whoever is killed between them begins with it."""
        if copies:
            adopted = self._journal.adopt(copies, SET_BACK, token)
            self._copies.forget(copies)
            self._books.moved(adopted)
            self._continuity.done(direct=adopted)

    def missing(self) -> int:
        """How many writes the server lacks. Raises DatabaseUnavailable, JournalError."""
        entries = sum(len(lost) for lost, _ in self._entries())
        return entries + sum(len(lost) for lost in self._direct())

    def _waits(self) -> bool:
        """Whether an operator has to be asked: not when nothing is missing."""
        if self._clock.monotonic() - self._counted < _COUNT_SECONDS:
            return True
        missing = self.missing()
        self._counted = self._clock.monotonic() if missing else float("-inf")
        self._continuity.wait(missing)
        return missing > 0

    # -- what is missing -------------------------------------------------------------------------

    def _entries(self) -> Iterator[tuple[list[Entry], list[Entry]]]:
        """Applied entries that the ledger lacks, and decided ones whose fence it lacks, in batches."""
        for batch in self._journal.settled():
            rows = self._rows([entry.id for entry in batch])
            applied = [entry for entry in batch if entry.state is EntryState.APPLIED]
            lost = [entry for entry in applied if self._lacks_entry(rows.get(entry.id), entry)]
            decided = (entry for entry in batch if entry.state is not EntryState.APPLIED)
            yield lost, [entry for entry in decided if entry.id not in rows and not entry.is_shell]

    def _lacks_entry(self, row: LedgerRow | None, entry: Entry) -> bool:
        """Also where it has forgotten that a first, unanswered try was handed over from the direct count."""
        counted_as_direct = row is not None and row.direct and row.journal == self._journal.journal_id()
        return counted_as_direct or _lacks(row, entry.request_hash)

    def _direct(self) -> Iterator[list[Copy]]:
        """Copies of direct writes that the ledger lacks, in batches."""
        for batch in self._copies.kept():
            rows = self._rows([copy.write.id for copy in batch])
            yield [copy for copy in batch if _lacks(rows.get(copy.write.id), copy.write.request_hash)]

    def _rows(self, keys: Sequence[UUID]) -> dict[UUID, LedgerRow]:
        found = self._target.read(lambda tx: ledger.rows_of(tx, keys), self._deadline())
        return {row.key: row for row in found}

    # -- as the drainer --------------------------------------------------------------------------

    def _announce(self) -> None:
        """The server may have forgotten who drains; or it knows a newer one than this journal."""
        token = self._token()
        newest = self._target.announce(token, self._deadline())
        if not isinstance(newest, int):
            raise _Away
        if newest > token:
            self._lease.raise_token(newest)
            raise LeaseLost("PostgreSQL knows a newer drainer")

    def _fence(self, entry: Entry) -> None:
        """What a person has decided stays decided, also for other hosts."""
        match self._target.fence(shell_of(entry), self._token(), self._deadline()):
            case Fence.STALE_DRAINER:
                raise LeaseLost("a newer drainer has announced itself to PostgreSQL")
            case Fence():
                return
            case _:
                raise _Away

    def _token(self) -> int:
        """The token of a turn that is still ours."""
        if not self._lease.renew() or self._lease.token is None:
            raise LeaseLost("the turn has passed on")
        return self._lease.token

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, _QUERY_SECONDS)


def _lacks(row: LedgerRow | None, request_hash: bytes) -> bool:
    return row is None or row.state != "applied" or row.request_hash != request_hash
