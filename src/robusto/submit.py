"""1. Accept a write: directly, or into the journal."""

from __future__ import annotations

from robusto.breaker import Breaker
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.delivery import Delivery
from robusto.errors import JournalError, KeyReused, NotAccepted, WriteRejected
from robusto.events import Events
from robusto.journal.copies import Copies
from robusto.journal.entry import Entry
from robusto.journal.sqlite import Draft, SqliteJournal
from robusto.order import Order
from robusto.outcome import Applied, Held, Rejected, Unavailable
from robusto.write import Receipt, Write, WriteState

#: Seconds that a person is kept for the journal, after PostgreSQL has used up the deadline at worst.
_APPEND_SECONDS = 1.0


class Submit:
    """Hands a write over and tells the truth about where it is."""

    def __init__(
        self,
        order: Order,
        journal: SqliteJournal,
        copies: Copies,
        breaker: Breaker,
        delivery: Delivery,
        events: Events,
        clock: Clock,
    ) -> None:
        self._order = order
        self._journal = journal
        self._copies = copies
        self._breaker = breaker
        self._delivery = delivery
        self._events = events
        self._clock = clock

    def submit(self, write: Write, deadline: Deadline) -> Receipt:
        """Raises WriteRejected (nothing kept), NotAccepted (nowhere, or unknown)."""
        try:
            with self._order.same_key(write, deadline) as alone:
                if not alone:
                    raise NotAccepted("the same write is still on its way", key=write.key, maybe_applied=True)
                return self._earlier(write) or self._hand_over(write, deadline)
        except JournalError as error:  # before anything was sent
            raise self._not_accepted(write, error, maybe_applied=False) from error

    def _hand_over(self, write: Write, deadline: Deadline) -> Receipt:
        with self._order.turn(write, deadline) as turn:
            if not turn:
                return self._keep(write, "busy")
            if self._journal.waits_behind(write.waits_for):
                return self._keep(write, "behind")
            if not self._breaker.allows_direct():
                return self._keep(write, "unavailable")
            match self._delivery.attempt(write, deadline):
                case Applied(duplicate=duplicate):
                    return self._stored(write, duplicate)
                case Unavailable(reason=reason, maybe_applied=maybe_applied, alarm=alarm):
                    self._breaker.failed(reason, alarm=alarm)
                    return self._keep(write, "unavailable", maybe_applied)
                case Held(reason=reason, maybe_applied=maybe_applied):
                    return self._keep(write, reason, maybe_applied)
                case Rejected() as rejected:
                    raise self._refusal(write, rejected)

    def _earlier(self, write: Write) -> Receipt | None:
        """The same key came through this host's journal before."""
        entry = self._journal.find(write.id)
        return None if entry is None else self._answer(write, entry)

    def _repeat(self, write: Write) -> Receipt | None:
        """PostgreSQL is not asked, but this host saw the same key being stored directly."""
        try:
            found = self._copies.find(write.id)
        except (JournalError, OSError):
            return None  # then the ledger settles it when the entry is drained
        if found is None:
            return None
        if found[0].request_hash != write.request_hash:
            raise self._refusal(write, Rejected("key_reused"))
        return Receipt(write.key, write.id, WriteState.STORED, duplicate=True)

    def _keep(self, write: Write, reason: str, maybe_applied: bool = False) -> Receipt:
        """Into the journal, on a time of its own: the request's deadline is for PostgreSQL."""
        repeat = self._repeat(write)
        if repeat is not None:
            return repeat
        try:
            entry, was_there = self._journal.append(
                Draft(write, reason, maybe_applied), Deadline.after(self._clock, _APPEND_SECONDS)
            )
        except JournalError as error:
            raise self._not_accepted(write, error, maybe_applied=maybe_applied) from error
        if was_there:
            return self._answer(write, entry)
        self._events.emit("write_pending", write=str(write.id), kind=write.kind, reason=reason, seq=entry.seq)
        return Receipt(write.key, write.id, WriteState.PENDING, reason=reason)

    def _answer(self, write: Write, entry: Entry) -> Receipt:
        if entry.request_hash != write.request_hash and not entry.is_shell:
            raise self._refusal(write, Rejected("key_reused"))
        state = entry.state.as_write_state
        return Receipt(write.key, write.id, state, duplicate=True, reason=entry.reason)

    def _stored(self, write: Write, duplicate: bool) -> Receipt:
        try:
            self._copies.keep(write)
        except (JournalError, OSError) as error:  # it is stored; only the safety net has a hole
            self._events.emit("copy_failed", write=str(write.id), error=type(error).__name__)
        if not duplicate:
            self._events.emit("write_stored", write=str(write.id), kind=write.kind)
        return Receipt(write.key, write.id, WriteState.STORED, duplicate=duplicate)

    def _refusal(self, write: Write, rejected: Rejected) -> WriteRejected:
        self._events.emit(
            "write_rejected", write=str(write.id), kind=write.kind, reason=rejected.reason,
            constraint=rejected.constraint,
        )  # fmt: skip
        if rejected.reason == "key_reused":
            return KeyReused()
        return WriteRejected(rejected.reason, rejected.constraint, rejected.detail)

    def _not_accepted(self, write: Write, error: JournalError, *, maybe_applied: bool) -> NotAccepted:
        unknown = maybe_applied or error.maybe_written
        self._events.emit(
            "write_not_accepted", write=str(write.id), kind=write.kind,
            error=type(error).__name__, unknown=unknown,
        )  # fmt: skip
        return NotAccepted(str(error), key=write.key, maybe_applied=unknown)
