"""5. One in-order pass from the journal to PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.delivery import Delivery
from robusto.errors import LeaseLost
from robusto.events import Events
from robusto.journal.entry import Entry, EntryState, Opened
from robusto.journal.sqlite import SqliteJournal
from robusto.lease import Lease
from robusto.order import Blocked
from robusto.outcome import Applied, Held, Outcome, Rejected, Scope, Unavailable
from robusto.postgres.target import PostgresTarget
from robusto.quarantine import Quarantine


@dataclass(slots=True)
class Pass:
    """What one pass did. `stopped` says why it ended before the last entry."""

    applied: int = 0
    quarantined: int = 0
    held: int = 0
    parked: int = 0
    errors: list[str] = field(default_factory=list)
    stopped: str = ""
    alarm: bool = False


class Drainer:
    """Goes through the backlog in order; sets aside what cannot go now, and what waits behind it."""

    def __init__(
        self,
        journal: SqliteJournal,
        delivery: Delivery,
        target: PostgresTarget,
        quarantine: Quarantine,
        lease: Lease,
        events: Events,
        clock: Clock,
        attempt_seconds: float,
    ) -> None:
        self._journal = journal
        self._delivery = delivery
        self._target = target
        self._quarantine = quarantine
        self._lease = lease
        self._events = events
        self._clock = clock
        self._attempt_seconds = attempt_seconds
        self._announced: int | None = None

    def drain(self, go_on: Callable[[], bool], *, impatient: bool = False) -> Pass:
        """One pass under the lease that is held, for as long as `go_on()`. Raises JournalError.

        impatient: also try held entries whose time has not come, because a person asked.
        """
        done, blocked = Pass(), Blocked()
        try:
            if not self._announce(done):
                return done
            for opened in self._journal.unfinished():
                if not self._lease.renew() or not go_on():
                    break
                if not self._due(opened.entry, blocked, done, impatient=impatient):
                    blocked.add(opened.entry)
                elif not self._one(opened, blocked, done):
                    break
        except LeaseLost:
            done.stopped = "lease_lost"
        return done

    def _announce(self, done: Pass) -> bool:
        """Before the first write under a new token PostgreSQL has to know it."""
        token = self._token()
        if self._announced == token:
            return True
        refused = self._target.announce(token, self._deadline())
        if refused is None:
            self._announced = token
            return True
        self._note(done, refused)
        return False

    def _due(self, entry: Entry, blocked: Blocked, done: Pass, *, impatient: bool) -> bool:
        if entry.state is EntryState.QUARANTINED:
            return False
        if blocked.stops(entry):
            done.parked += 1
            return False
        early = entry.not_before > self._clock.wall().timestamp()
        if entry.state is EntryState.HELD and early and not impatient:
            done.held += 1
            return False
        return True

    def _one(self, opened: Opened, blocked: Blocked, done: Pass) -> bool:
        """Attempt one entry; says whether the pass goes on."""
        entry, write = opened.entry, opened.write
        outcome: Outcome
        if write is None:
            outcome = Rejected("unreadable")
        else:
            outcome = self._delivery.attempt(write, self._deadline(), self._token())
        match outcome:
            case Applied():
                self._journal.mark(entry, EntryState.APPLIED, self._token())
                self._events.emit("write_applied", write=str(entry.id), kind=entry.kind, seq=entry.seq)
                done.applied += 1
                return True
            case Unavailable(maybe_applied=maybe_applied):
                if maybe_applied and not entry.maybe_applied:
                    self._journal.taint(entry, self._token())
                return self._note(done, outcome)
            case Held() if not self._out_of_patience(entry, outcome):
                return self._hold(entry, outcome, blocked, done)
            case Held(reason=reason) | Rejected(reason=reason):
                return self._set_aside(opened, reason, blocked, done)

    def _hold(self, entry: Entry, held: Held, blocked: Blocked, done: Pass) -> bool:
        if held.scope is Scope.KIND:
            blocked.add_kind(entry.kind)
        blocked.add(entry)
        self._journal.mark(
            entry, EntryState.HELD, self._token(), reason=held.reason, retry_after=held.retry_after
        )
        if entry.state is not EntryState.HELD or entry.reason != held.reason:
            self._events.emit(
                "write_held", write=str(entry.id), kind=entry.kind, reason=held.reason,
                scope=held.scope.value, alarm=held.alarm,
            )  # fmt: skip
        done.held += 1
        done.alarm |= held.alarm
        return True

    def _set_aside(self, opened: Opened, reason: str, blocked: Blocked, done: Pass) -> bool:
        refused = self._quarantine.put(opened, reason, self._token(), self._deadline())
        match refused:
            case None:
                blocked.add(opened.entry)
                done.quarantined += 1
                done.errors.append(f"{opened.entry.kind} {opened.entry.id}: {reason}")
                return True
            case Held():
                return self._hold(opened.entry, refused, blocked, done)
            case _:
                return self._note(done, refused)

    def _out_of_patience(self, entry: Entry, held: Held) -> bool:
        if held.patience is None or entry.held_since is None or entry.reason != held.reason:
            return False
        return self._clock.wall().timestamp() - entry.held_since > held.patience

    def _note(self, done: Pass, outcome: Outcome) -> bool:
        """The pass ends here: everything stays where it is."""
        reason = outcome.reason if isinstance(outcome, Unavailable | Held | Rejected) else "unknown"
        done.stopped = reason
        done.errors.append(reason)
        return False

    def _token(self) -> int:
        if self._lease.token is None:
            raise LeaseLost("the turn has passed on")
        return self._lease.token

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, self._attempt_seconds)
