"""The one place where the parts are put together; open, submit, drain, close."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from itertools import islice
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

from robusto.clock import Clock, SystemClock
from robusto.config import Config
from robusto.continuity import Incident
from robusto.deadline import Deadline
from robusto.errors import JournalError, NotAccepted
from robusto.events import Events, Listener
from robusto.finding import Found
from robusto.gate import Gate
from robusto.handlers import Apply, Handlers, Transaction
from robusto.identity import Identity
from robusto.journal.entry import Counts, Entry
from robusto.parts import Parts
from robusto.passes import Drained
from robusto.postgres.connection import Connect, connect
from robusto.quarantine import Quarantine
from robusto.replica import Replica, ReplicaStore
from robusto.verify import Proof, Verifier
from robusto.watch.activity import Activity
from robusto.watch.backlog import Backlog
from robusto.watch.log import log_event
from robusto.watch.status import Status
from robusto.write import (
    Payload,
    Receipt,
    Write,
    WriteState,
    as_kept,
    checked_key,
    checked_keys,
    checked_kind,
    checked_name,
)

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds that a manual drain waits for the worker's answer (contract §4).
_DRAIN_SECONDS = 2.0


def _let_in(method: Callable[Concatenate[Engine, P], T]) -> Callable[Concatenate[Engine, P], T]:
    """A call through the gate: the engine is not closed, and no process forked, under its feet."""

    @wraps(method)
    def call(self: Engine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._gate:
            return method(self, *args, **kwargs)

    return call


class Engine:
    """Writes to PostgreSQL or into the journal, each taking effect once and in order.

    One engine serves all threads of a process. After a fork it opens itself anew.
    """

    def __init__(self, config: Config, *, clock: Clock | None = None, connect: Connect = connect) -> None:
        """clock and connect: time, and the way to PostgreSQL, for tests (`robusto.testing`)."""
        self.config = config
        self._clock = clock or SystemClock()
        self._connect = connect
        self._handlers = Handlers()
        self._replicas: list[Replica] = []
        self._listeners: list[Listener] = [log_event]
        self._opening = threading.RLock()
        self._gate = Gate()
        self._parts: Parts | None = None
        self._reopen = False
        self._with_worker = True
        before = weakref.WeakMethod(self._before_fork)
        parent, child = weakref.WeakMethod(self._after_fork), weakref.WeakMethod(self._born)
        os.register_at_fork(
            before=lambda: _call(before()),
            after_in_parent=lambda: _call(parent()),
            after_in_child=lambda: _call(child()),
        )

    # -- setting up ----------------------------------------------------------------------------

    def handler(self, kind: str, *aliases: str) -> Callable[[Apply], Apply]:
        """Decorator: this function applies writes of this kind. Raises ConfigError for a taken name."""

        def register(apply: Apply) -> Apply:
            self._handlers.add(kind, apply, aliases)
            return apply

        return register

    def statement(self, kind: str, sql: str, *aliases: str) -> None:
        """This SQL statement, with `%(name)s` for the payload's fields, applies writes of this kind."""
        self._handlers.add_statement(kind, sql, aliases)

    def replicate(self, replica: Replica) -> None:
        """Keep a local read copy of this query."""
        self._replicas.append(replica)

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event; it must be quick and must not fail."""
        self._listeners.append(listener)

    def open(self, *, worker: bool = True) -> Engine:
        """Open the journal and, with `worker`, start the thread that drains it.

        PostgreSQL need not be there. Raises MissingKey when unfinished entries are sealed with a key
        that is not given; a journal that was removed or cannot be written does not stop the start, but is
        shown red and refuses every write.
        """
        with self._opening:
            self._with_worker = worker
            self._open_parts()
        return self

    def close(self) -> None:
        """End the worker after the entry in hand, pass its turn on, close every file."""
        with self._gate.shut_for_a_while():
            self._close_parts()

    def _close_parts(self) -> None:
        with self._opening:
            if self._parts is not None:
                self._parts.close()
                self._parts = None

    def __enter__(self) -> Engine:
        return self if self._parts is not None else self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_parts(self) -> Parts:
        events = Events(self._clock)
        for listener in self._listeners:
            events.listen(listener)
        self._parts = Parts(self.config, self._handlers, self._replicas, events, self._clock, self._connect)
        self._parts.open(worker=self._with_worker)
        return self._parts

    def _ready(self) -> Parts:
        """The open parts; opened on first use, and so anew in a child process (fault 8)."""
        parts = self._parts
        if parts is None:
            with self._opening:
                parts = self._parts or self._open_parts()
        return parts

    def _before_fork(self) -> None:
        """SQLite's locks and the kernel's do not survive a fork in one piece: both sides begin anew."""
        self._gate.shut()
        self._reopen = self._parts is not None and self._parts.worker.running
        self._close_parts()

    def _after_fork(self) -> None:
        try:
            if self._reopen:
                self.open(worker=self._with_worker)
        finally:
            self._gate.open()

    def _born(self) -> None:
        """A child opens its own on first use; it may be about to become another program."""
        self._opening, self._gate = threading.RLock(), Gate()

    # -- writing -------------------------------------------------------------------------------

    @_let_in
    def submit(
        self,
        kind: str,
        payload: Payload,
        *,
        key: str | None = None,
        namespace: str = "",
        ordering_keys: Collection[str] = (),
        after: Collection[str] = (),
        request: Payload | None = None,
        author: str = "",
    ) -> Receipt:
        """Hand a write over; returns once it is stored in PostgreSQL or flushed in the journal.

        key: names the write within (namespace, kind); the same key with the same `request` (default:
        the payload) is the same write, without one a new key is made. ordering_keys: it takes effect
        after every earlier write that shares one. after: ordering keys of parents to wait for.
        Raises WriteRejected and KeyReused (nothing kept), NotAccepted (nowhere, or unknown), and, before
        anything is tried, ValueError for what cannot be kept.
        """
        parts = self._ready()
        key = secrets.token_urlsafe(16) if key is None else checked_key(key)
        kind, namespace = checked_kind(kind), checked_name(namespace, "namespace")
        author = checked_name(author, "author")
        ordering_keys, after = checked_keys(ordering_keys), checked_keys(after)
        try:
            identity = parts.identity()
        except JournalError as error:
            raise NotAccepted(str(error), key=key, maybe_applied=False) from error
        request_hash = _hashed(identity, payload, request)
        write = Write(
            id=identity.write_id(namespace, kind, key),
            kind=kind,
            payload=as_kept(payload),
            request_hash=request_hash,
            submit_id=uuid4(),
            version=1,
            ordering=tuple(sorted({identity.ordering(each) for each in ordering_keys})),
            after=tuple(sorted({identity.ordering(each) for each in after})),
            accepted_at=self._clock.wall(),
            namespace=namespace,
            key=key,
            author=author,
        )
        return parts.submit.submit(write, self._deadline())

    @_let_in
    def write_id(self, kind: str, key: str, namespace: str = "") -> UUID:
        """The id that a write with this key has or will have. Raises JournalError."""
        return self._ready().identity().write_id(namespace, kind, key)

    @_let_in
    def derived_id(self, write_id: UUID, label: str) -> UUID:
        """An id for something that this write makes, known before it is made. Raises JournalError."""
        return self._ready().identity().derived_id(write_id, label)

    @_let_in
    def drain(self, timeout: float = _DRAIN_SECONDS) -> Drained:
        """Ask for a pass and wait for it, at most `timeout` seconds; two askers share one pass.

        Without a worker anywhere on this host the pass is made here. Raises JournalError.
        """
        parts = self._ready()
        before = parts.journal.counts()
        number = parts.passes.request()
        deadline = Deadline.after(self._clock, timeout)
        errors = parts.ask_worker(number, deadline)
        after = parts.journal.counts()
        done = after.applied + after.pruned - before.applied - before.pruned
        if errors is None:
            errors = ["the pass is still going on"] if after.unfinished else []
        return Drained(max(0, done), after.unfinished, after.quarantined, errors)

    @_let_in
    def set_back(self) -> Incident | None:
        """What PostgreSQL was found to have forgotten and is not put right yet; None when nothing is."""
        return self._ready().continuity.incident()

    @_let_in
    def missing(self) -> int:
        """How many kept writes PostgreSQL lacks. Raises DatabaseUnavailable, JournalError."""
        return self._ready().reoffer.missing()

    @_let_in
    def reoffer(self, *, who: str) -> bool:
        """An operator says: offer what was forgotten again. False when nothing waits for that."""
        allowed = self._ready().continuity.allow(who=who)
        self._ready().worker.wake()
        return allowed

    # -- looking -------------------------------------------------------------------------------

    @_let_in
    def status(self) -> Status:
        """The verdict and its figures, from local state. Never raises, never waits."""
        return self._ready().watch.status()

    @_let_in
    def look(self) -> None:
        """Ask PostgreSQL now, once, and share the finding; takes a second at most."""
        self._ready().worker.look()

    @_let_in
    def has_looked(self) -> bool:
        """Whether anybody on this host has asked PostgreSQL yet."""
        return self._ready().breaker.finding() is not None

    @_let_in
    def journal_problem(self) -> str:
        """Why no write could be accepted durably, or "" when one could."""
        return self._ready().health.problem()

    @_let_in
    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run queries in one read-only transaction inside the deadline. Raises DatabaseUnavailable."""
        return self._ready().reading.read(work, self._deadline())

    def replica(self, name: str) -> ReplicaStore:
        """The local read copy of a replicated query."""
        return self._ready().replicas[name]

    @_let_in
    def find(self, low: UUID, high: UUID | None = None) -> Found | None:
        """Where the write with this id, or in this range of ids, is; None when there is none.

        Raises DatabaseUnavailable when it is not known here and PostgreSQL cannot be asked, and
        JournalError.
        """
        return self._ready().finding.find(low, high or low, self._deadline())

    @_let_in
    def unfinished(self, kinds: Collection[str]) -> list[tuple[Write, WriteState]]:
        """Readable writes of these kinds that PostgreSQL does not have yet, in order. Raises JournalError."""
        return self._ready().overlay.unfinished(kinds)

    @_let_in
    def recent(self, kinds: Collection[str], since: datetime) -> list[Write]:
        """Readable writes of these kinds that this host saw stored since then. Raises JournalError."""
        return self._ready().overlay.recent(kinds, since)

    @property
    def quarantine(self) -> Quarantine:
        """The operator's verbs."""
        return self._ready().quarantine

    @property
    def backlog(self) -> Backlog:
        """What is not finished, page by page, and who waits behind whom."""
        return self._ready().backlog

    @_let_in
    def kinds(self) -> list[str]:
        """The names of all kinds that have a handler."""
        return sorted(self._handlers.kinds())

    @property
    def activity(self) -> Activity:
        """What happened, newest first."""
        return self._ready().activity

    @_let_in
    def verify(self) -> Proof:
        """The conservation proof against PostgreSQL. Raises DatabaseUnavailable, JournalError."""
        parts = self._ready()
        return Verifier(parts.journal, parts.copies, parts.target, self._clock).verify()

    @_let_in
    def inspect(self, limit: int = 1000) -> tuple[Counts, list[Entry]]:
        """The journal's counts and its first unfinished entries. Raises JournalError."""
        journal = self._ready().journal
        return journal.counts(), [each.entry for each in islice(journal.unfinished(), limit)]

    @_let_in
    def verify_journal(self) -> list[str]:
        """Read every page of the journal and open every seal; what is damaged, or nothing.

        Raises JournalError when the journal cannot be opened at all.
        """
        return self._ready().journal.damages()

    def work(self) -> None:
        """Be the worker in this thread until `stop_working` (`robusto worker`)."""
        self._ready().worker.run()

    def stop_working(self) -> None:
        """End the worker after the entry in hand and pass its turn on; safe in a signal handler."""
        self._ready().worker.ask_to_stop()

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, self.config.deadline_seconds)


def _call(method: Callable[[], None] | None) -> None:
    if method is not None:
        method()


def _hashed(identity: Identity, payload: Payload, request: Payload | None) -> bytes:
    """Checks the payload too: what the journal could not keep is refused before anything is tried."""
    if request is None:
        return identity.request_hash(payload)
    identity.request_hash(payload)
    return identity.request_hash(request)
