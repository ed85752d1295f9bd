"""5. One in-order pass from the journal to PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.delivery import Delivery
from robusto.errors import EntryChanged, LeaseLost
from robusto.events import Events
from robusto.failures import CONFIGURATION_WAIT, STORM, WAIT_SECONDS, is_server_wide, stops_its_kind
from robusto.journal.entry import Entry, EntryState, Opened
from robusto.journal.sqlite import SqliteJournal
from robusto.lease import Lease
from robusto.order import Blocked
from robusto.outcome import Applied, Held, Outcome, Rejected, Scope, Unavailable
from robusto.postgres.target import FENCED, PostgresTarget
from robusto.quarantine import Quarantine

#: Seconds: an entry that has been held for long is tried again after half that time, at most this.
_LONGEST_WAIT = 30.0
#: Refusals of one kind, for one reason, in a row: more are rather a mistake in the program or the schema
#: than in so many forms, and wait where they are until a person has looked and asks for a pass.
_STORM_AFTER = 20


@dataclass(slots=True)
class Pass:
    """What one pass did; `away` when it ended because PostgreSQL is.

    `tried_all`: with it everything was tried that was there when `begin_anew` was called last.
    """

    applied: int = 0
    quarantined: int = 0
    held: int = 0
    parked: int = 0
    errors: list[str] = field(default_factory=list)
    away: Unavailable | None = None
    tried_all: bool = False


@dataclass(slots=True)
class _Sweep:
    """How far the way through the backlog has come, and what was met that cannot go."""

    seq: int = 0
    blocked: Blocked = field(default_factory=Blocked)


class Drainer:
    """Goes through the backlog in order; sets aside what cannot go now, and what waits behind it."""

    def __init__(
        self,
        journal: SqliteJournal,
        delivery: Delivery,
        target: PostgresTarget,
        quarantine: Quarantine,
        lease: Lease,
        prober: PostgresTarget,
        events: Events,
        clock: Clock,
        attempt_seconds: float,
    ) -> None:
        self._journal = journal
        self._delivery = delivery
        self._target = target
        self._quarantine = quarantine
        self._lease = lease
        self._prober = prober
        self._events = events
        self._clock = clock
        self._attempt_seconds = attempt_seconds
        self._announced: int | None = None
        self._sweep = _Sweep()
        self._impatient = False
        self._refused: dict[str, tuple[str, int]] = {}  # kind: the reason, and how often in a row

    def drain(self, go_on: Callable[[], bool], *, impatient: bool = False) -> Pass:
        """One pass under the lease that is held, for as long as `go_on()`. Raises JournalError.

        A pass that was cut short goes on where it was, so that nothing at the head can keep the tail
        waiting. impatient: from the head, and held entries too whose time has not come.
        """
        done = Pass()
        self._impatient = impatient
        if impatient:
            self._sweep = _Sweep()
            self._refused.clear()
        try:
            if self._announce(done):
                self._go_through(go_on, done, impatient=impatient)
        except EntryChanged:
            self._sweep = _Sweep()
        except LeaseLost:
            self._sweep, self._announced = _Sweep(), None
            self._lease.release()
        return done

    def begin_anew(self) -> None:
        """The next pass begins at the head."""
        self._sweep = _Sweep()

    def _go_through(self, go_on: Callable[[], bool], done: Pass, *, impatient: bool) -> None:
        sweep = self._sweep
        for opened in self._journal.unfinished(sweep.seq):
            if not self._lease.renew():
                raise LeaseLost("the turn has passed on")
            if not go_on():
                return
            if not self._due(opened.entry, sweep.blocked, done, impatient=impatient):
                sweep.blocked.add(opened.entry)
            elif not self._one(opened, sweep.blocked, done):
                break
            sweep.seq = opened.place
        else:
            done.tried_all = True
        self._sweep = _Sweep()

    def _announce(self, done: Pass) -> bool:
        """Before the first write under a new token PostgreSQL has to know it."""
        token = self._token()
        if self._announced == token:
            return True
        match self._target.announce(token, self._deadline()):
            case int(newest) if newest > token:  # the journal was restored from a backup
                self._lease.raise_token(newest)
                raise LeaseLost("PostgreSQL knows a newer drainer")
            case int():
                self._announced = token
                self.begin_anew()  # others have worked since
                return True
            case refused:
                return self._note(done, refused)

    def _due(self, entry: Entry, blocked: Blocked, done: Pass, *, impatient: bool) -> bool:
        if entry.state is EntryState.QUARANTINED:
            return False
        if blocked.stops(entry):
            done.parked += 1
            return False
        # Later than we ever say means that the clock was set back since.
        early = 0 < entry.not_before - self._clock.wall().timestamp() <= _LONGEST_WAIT
        if entry.state is EntryState.HELD and early and not impatient:
            if stops_its_kind(entry.reason):
                blocked.add_kind(entry.kind)
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
        if isinstance(outcome, Unavailable | Held) and outcome.maybe_applied and not entry.maybe_applied:
            self._journal.taint(entry, self._token())
        match outcome:
            case Applied():
                self._refused.pop(entry.kind, None)
                self._journal.mark(entry, EntryState.APPLIED, self._token())
                self._events.emit("write_applied", write=str(entry.id), kind=entry.kind, seq=entry.seq)
                done.applied += 1
                return True
            case Unavailable():
                return self._unavailable(entry, outcome, blocked, done)
            case Held() if not self._out_of_patience(entry, outcome):
                return self._hold(entry, outcome, blocked, done)
            case Rejected(reason=reason) if write is not None and self._storms(entry, reason):
                storm = Held(STORM + reason, Scope.KIND, retry_after=CONFIGURATION_WAIT, alarm=True)
                return self._hold(entry, storm, blocked, done)
            case Held(reason=reason) | Rejected(reason=reason):
                return self._set_aside(opened, reason, blocked, done)

    def _unavailable(self, entry: Entry, outcome: Unavailable, blocked: Blocked, done: Pass) -> bool:
        """The server is away; or it is well, and only this entry takes longer than it may."""
        if not isinstance(self._prober.probe(self._deadline()), Unavailable):
            scope = Scope.KIND if is_server_wide(outcome.reason) else Scope.ENTRY
            held = Held(outcome.reason, scope, retry_after=WAIT_SECONDS, alarm=outcome.alarm)
            return self._hold(entry, held, blocked, done)
        done.away = outcome
        return self._note(done, outcome)

    def _hold(self, entry: Entry, held: Held, blocked: Blocked, done: Pass) -> bool:
        if held.scope is Scope.KIND:
            blocked.add_kind(entry.kind)
        blocked.add(entry)
        held_for = self._clock.wall().timestamp() - (entry.held_since or float("inf"))
        retry_after = max(held.retry_after, min(_LONGEST_WAIT, held_for / 2))
        self._journal.mark(entry, EntryState.HELD, self._token(), reason=held.reason, retry_after=retry_after)
        if entry.state is not EntryState.HELD or entry.reason != held.reason:
            self._events.emit(
                "write_held", write=str(entry.id), kind=entry.kind, reason=held.reason,
                scope=held.scope.value, alarm=held.alarm,
            )  # fmt: skip
        done.held += 1
        return True

    def _set_aside(self, opened: Opened, reason: str, blocked: Blocked, done: Pass) -> bool:
        if reason == FENCED:  # the fence stands, but the answer to its COMMIT was lost
            reason = opened.entry.reason or reason
        elif reason != opened.entry.reason:
            self._journal.note(opened.entry, reason, self._token())
        refused = self._quarantine.put(opened, reason, self._token(), self._deadline())
        match refused:
            case None:
                blocked.add(opened.entry)
                done.quarantined += 1
                done.errors.append(f"{opened.entry.kind} {opened.entry.id}: {reason}")
                return True
            case Applied():
                done.applied += 1
                return True
            case Held():
                return self._hold(opened.entry, refused, blocked, done)
            case _:
                return self._note(done, refused)

    def _storms(self, entry: Entry, reason: str) -> bool:
        """Whether this refusal is one too many of its kind and reason in a row."""
        before, times = self._refused.get(entry.kind, (reason, 0))
        times = times + 1 if before == reason else 1
        self._refused[entry.kind] = (reason, times)
        known = entry.reason == STORM + reason and not self._impatient  # also to the next drainer
        return known or times > _STORM_AFTER

    def _out_of_patience(self, entry: Entry, held: Held) -> bool:
        if held.patience is None or entry.held_since is None or entry.reason != held.reason:
            return False
        return self._clock.wall().timestamp() - entry.held_since > held.patience

    def _note(self, done: Pass, outcome: Outcome) -> bool:
        """The pass ends here: everything stays where it is."""
        reason = outcome.reason if isinstance(outcome, Unavailable | Held | Rejected) else "unknown"
        done.errors.append(reason)
        return False

    def _token(self) -> int:
        if self._lease.token is None:
            raise LeaseLost("the turn has passed on")
        return self._lease.token

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, self._attempt_seconds)
