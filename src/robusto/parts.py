"""The parts of one open engine in one process, put together from the bottom up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from robusto.books import Books
from robusto.breaker import Breaker
from robusto.clock import Clock
from robusto.config import Config
from robusto.continuity import Continuity
from robusto.deadline import Deadline
from robusto.delivery import Delivery
from robusto.drainer import Drainer
from robusto.errors import DatabaseUnavailable, JournalError, MissingKey
from robusto.events import Event, Events
from robusto.filelocks import KeyLocks
from robusto.finding import Finding
from robusto.handlers import Handlers, Transaction
from robusto.health import JournalHealth
from robusto.identity import Identity
from robusto.journal.copies import Copies
from robusto.journal.place import Place
from robusto.journal.sqlite import SqliteJournal
from robusto.lease import Lease
from robusto.order import Order
from robusto.overlay import Overlay
from robusto.passes import Passes
from robusto.postgres.connection import Connect
from robusto.postgres.lineage import Guard
from robusto.postgres.target import PostgresTarget
from robusto.quarantine import Quarantine
from robusto.reading import Reading
from robusto.reoffer import Reoffer
from robusto.replica import Replica, ReplicaStore
from robusto.retry import Retry
from robusto.shared import SharedRecord
from robusto.submit import Submit
from robusto.watch.activity import Activity
from robusto.watch.backlog import Backlog
from robusto.watch.status import Watch
from robusto.worker import Worker

#: Seconds between two prunings, and two refreshes of the local read copies.
_PRUNE_EVERY, _REFRESH_EVERY = 600.0, 2.0
_REFRESH_SECONDS = 10.0
#: Keys, of each kind, by which a server is recognised: more than can be on their way at once.
_NEWEST = 200
#: Seconds by which PostgreSQL's clock and ours may differ while anything is pruned (rule 12).
_CLOCKS_APART = 300.0


class Parts:
    """Everything that `Engine` talks to."""

    def __init__(
        self,
        config: Config,
        handlers: Handlers,
        replicas: list[Replica],
        events: Events,
        clock: Clock,
        connect: Connect,
    ) -> None:
        self._handlers = handlers
        folder, keys = config.folder, config.keys()
        self._config, self._clock, self._events = config, clock, events
        self._records: list[SharedRecord] = []
        self._place = Place(folder)
        self.journal = SqliteJournal(self._place, keys, config.journal_max_bytes, clock)
        self.copies = Copies(folder, keys, clock, self.journal.last_seq)
        self.overlay = Overlay(self.journal, self.copies)
        self.activity = Activity(folder, clock)
        self.continuity = Continuity(self._record("lineage"), self._newest, events, clock)
        self.target = self._target(connect, config.pool_size, self.continuity)
        # A connection of its own: requests that use up the pool say nothing about the server.
        self._prober = self._target(connect, 1, self.continuity)
        # Goes where the others are not let in: what was forgotten is looked up there.
        self._looker = self._target(connect, 1, None)
        self.breaker = Breaker(self._record("breaker"), events, clock)
        self.health = JournalHealth(self._record("health"), self.journal, events, clock)
        self.books = Books(self._record("books"), self.target, self.journal.journal_id, self._movement, clock)
        self.passes = Passes(self._record("passes"))
        self.lease = Lease(self._record("lease"), self.journal, config.lease_seconds, clock)
        self._locks = KeyLocks(folder / "keys.lock")
        self.replicas = {each.name: ReplicaStore(each, folder, keys, clock) for each in replicas}
        delivery = Delivery(self.target, handlers, Retry(config.retry_attempts))
        self.submit = Submit(
            Order(self._locks), self.journal, self.copies, self.breaker, delivery, events, clock
        )
        self.quarantine = Quarantine(self.journal, self.target, events)
        self.reading = Reading(self.target, self.breaker)
        self.backlog = Backlog(self.journal, clock)
        self.finding = Finding(self.journal, self.copies, self.reading)
        self.watch = Watch(
            self.journal, self.backlog, self.breaker, self.books, self.health, self.continuity, clock
        )
        drainer = Drainer(
            self.journal, delivery, self.target, self.quarantine, self.lease, self._prober, events, clock,
            config.deadline_seconds,
        )  # fmt: skip
        self.reoffer = Reoffer(
            self.journal, self.copies, self._looker, self.lease, self.continuity, self.books,
            self.replicas.values(), clock,
            ask=config.reoffer == "ask",
        )  # fmt: skip
        self.worker = Worker(
            self.lease, self.breaker, self._prober, self.journal, drainer, self.reoffer, self.passes, events,
            clock,
            [
                self.health.check_when_due,
                self.books.count_when_due,
                _every(_REFRESH_EVERY, clock, self._refresh),
                _every(_PRUNE_EVERY, clock, self.prune),
            ],
            _every(_REFRESH_EVERY, clock, self._keep_warm),
        )  # fmt: skip
        events.listen(self.activity)
        events.listen(self._wake)

    def _target(self, connect: Connect, connections: int, guard: Guard | None) -> PostgresTarget:
        return PostgresTarget(self._config.conninfo, connections, self.journal.journal_id, connect, guard)

    def _newest(self) -> list[UUID]:
        """What took effect last, as far as it can be read; many, for they end in another order."""
        found: list[UUID] = []
        for newest in (self.journal.newest_applied, self.copies.newest):
            with suppress(JournalError):
                found += newest(_NEWEST)
        return found

    def _record(self, name: str) -> SharedRecord:
        self._records.append(SharedRecord(self._config.folder / name))
        return self._records[-1]

    def open(self, *, worker: bool) -> None:
        """Open the files and start the threads. Raises MissingKey."""
        try:
            self.journal.open()
        except MissingKey:
            raise
        except JournalError as error:  # red, and every write refused, until it is there
            self._events.emit("journal_failed", problem=str(error))
        self.activity.open()
        self._name_unknown_kinds()
        if worker:
            self.worker.start()

    def _name_unknown_kinds(self) -> None:
        """A release that does not know what is waiting for it is better noticed now than at the drain."""
        with suppress(JournalError):
            for kind in self.journal.waiting_kinds():
                if self._handlers.get(kind) is None:
                    self._events.emit("kind_unknown", kind=kind)

    def identity(self) -> Identity:
        """Derives ids and digests. Raises JournalError while the journal cannot be opened."""
        return Identity(self.journal.secret())

    def ask_worker(self, number: int, deadline: Deadline) -> list[str] | None:
        """Wait for the worker's pass; where nobody works, make it here."""
        if self.worker.running or self.lease.held_by_somebody():
            self.worker.wake()
        else:
            self.worker.turn_alone()
        return self.passes.wait(number, deadline)

    def _movement(self) -> tuple[int, int]:
        return self.copies.count(), self.journal.counts().applied

    def _wake(self, event: Event) -> None:
        if event.name in ("write_pending", "write_requeued", "write_discarded"):
            self.worker.wake()

    def _refresh(self) -> None:
        for store in self.replicas.values():
            try:
                while self.target.read(store.copy_page, Deadline.after(self._clock, _REFRESH_SECONDS)):
                    self.lease.renew()
            except DatabaseUnavailable as error:
                self._events.emit("refresh_failed", replica=store.name, reason=error.reason)

    def _keep_warm(self) -> None:
        """Every process has the copy open in memory before the first person needs it."""
        for store in self.replicas.values():
            store.rows()

    def prune(self) -> None:
        """Only by a clock that PostgreSQL confirms: a wrong one would give up what is kept for 72 h."""
        if not self._clocks_agree():
            return
        before = self._clock.wall().timestamp() - self._config.retention_seconds
        while self.journal.prune(before):
            pass
        while self.copies.prune(before):
            pass

    def _clocks_agree(self) -> bool:
        deadline = Deadline.after(self._clock, _REFRESH_SECONDS)
        try:
            theirs = self.target.read(_time_of, deadline)
        except DatabaseUnavailable:
            return False
        apart = abs((theirs - self._clock.wall()).total_seconds())
        if apart > _CLOCKS_APART:
            self._events.emit("clocks_apart", seconds=round(apart))
        return apart <= _CLOCKS_APART

    def close(self) -> None:
        """Stop the threads, pass the turn on, close the files."""
        self.worker.stop()
        self.activity.close()
        for store in self.replicas.values():
            store.close()
        self.target.close()
        self._prober.close()
        self._looker.close()
        self._locks.close()
        for record in self._records:
            record.close()
        self.copies.close()
        self.journal.close()


def _time_of(tx: Transaction) -> datetime:
    """PostgreSQL's clock."""
    found: datetime = tx.execute("SELECT clock_timestamp()").fetchone()[0]
    return found


def _every(seconds: float, clock: Clock, chore: Callable[[], None]) -> Callable[[], None]:
    """The chore, when so many seconds have passed since it was last done."""
    done = float("-inf")

    def when_due() -> None:
        nonlocal done
        if clock.monotonic() - done >= seconds:
            done = clock.monotonic()
            chore()

    return when_due
