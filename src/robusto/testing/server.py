"""A PostgreSQL in memory: the ledger, the drainers' tokens, what handlers did, and switches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from robusto.clock import Clock, SystemClock
from robusto.deadline import Deadline
from robusto.postgres.connection import Connection, ConnectionRefused, DeadlineExceeded
from robusto.testing.connection import FakeConnection
from robusto.testing.session import Session
from robusto.testing.values import Backup, Effect, Loss, Params, Row

#: Stands in for the business: how many rows a handler's statement changed, or the rows of a query.
#: Raises SqlError.
Run = Callable[[Session, str, Params], int | Sequence[tuple[Any, ...]]]


class FakeServer:
    """READ COMMITTED with row locks: who waits for one longer than its own lock_timeout gets 55P03.

    `run` stands in for the business; by default every statement of a handler changes one row. What
    was committed is in `effects`, in the order of the commits.
    """

    #: Seconds between two looks of whoever waits for a lock or an answer.
    look_seconds = 0.005

    def __init__(self, run: Run | None = None, clock: Clock | None = None) -> None:
        self.run: Run = run or (lambda session, sql, params: 1)
        self.clock = clock or SystemClock()
        self.effects: list[Effect] = []
        self.ledger: dict[UUID, Row] = {}
        self.tokens: dict[UUID, int] = {}
        self.sessions: dict[Session, None] = {}
        self.mutex = threading.RLock()
        self._held: dict[Hashable, Session] = {}
        self.commits = 0
        self._connected = self._starts = 0
        self._losses: deque[Loss] = deque()
        self._failures: deque[str] = deque()
        self._refusal: str | None = None
        self._away = self._frozen = False

    def connect(self, conninfo: str, deadline: Deadline) -> Connection:
        """Give this to the Engine. Raises psycopg.Error while the server is away."""
        self.reached("connect", None)
        self.require_answer(deadline)
        if self._refusal:
            raise ConnectionRefused("the login was refused", self._refusal)
        return FakeConnection(self, self.session())

    def session(self) -> Session:
        """A backend that nobody is connected to: for a lock that somebody forgot."""
        with self.mutex:
            self._connected += 1
            session = Session(self, self._connected)
            self.sessions[session] = None
            return session

    def reached(self, point: str, session: Session | None) -> None:
        """Called before every step with nothing locked: a simulation lets others go on here."""

    def lineage(self) -> tuple[bool, str, int, int, str, str, int]:
        """Which history it is on, as the engine asks for it: another one after every start."""
        return False, str(self._starts), 1, 1, "1", "00000001", self.commits

    # -- switches ------------------------------------------------------------------------------

    def stop(self) -> None:
        """Refuse connections and end all there are; what was not committed is rolled back."""
        self._away = True
        for session in list(self.sessions):
            session.end()

    def freeze(self) -> None:
        """Accept everything and answer nothing until `start`."""
        self._frozen = True

    def start(self) -> None:
        """Be back, or thawed."""
        self._starts += self._away
        self._away = self._frozen = False

    def backup(self) -> Backup:
        """Everything that is committed now."""
        with self.mutex:
            return Backup(dict(self.ledger), dict(self.tokens), list(self.effects), self.commits)

    def restore(self, backup: Backup) -> None:
        """Stop, and forget what was committed since; `start` is still to come."""
        self.stop()
        with self.mutex:
            self.ledger, self.tokens = dict(backup.ledger), dict(backup.tokens)
            self.effects[:] = backup.effects
            self.commits = backup.commits

    def refuse_logins(self, sqlstate: str | None) -> None:
        """Refuse every new connection with this code; None for no longer."""
        self._refusal = sqlstate

    def fail(self, *sqlstates: str) -> None:
        """Answer the next statements of handlers with these codes, one after the other."""
        self._failures.extend(sqlstates)

    def lose(self, *losses: Loss) -> None:
        """Lose the next COMMITs like this, one after the other."""
        self._losses.extend(losses)

    def settle(self, *, take_effect: bool) -> None:
        """What becomes of the COMMITs that were lost LATE."""
        for session in [each for each in self.sessions if each.late]:
            if take_effect:
                session.commit()
            session.end()

    # -- for the sessions ----------------------------------------------------------------------

    def next_loss(self, session: Session) -> Loss | None:
        """What is to become of this session's COMMIT."""
        with self.mutex:
            return self._losses.popleft() if self._losses else None

    def next_failure(self) -> str | None:
        """How this statement of a handler is to fail."""
        with self.mutex:
            return self._failures.popleft() if self._failures else None

    def require_answer(self, deadline: Deadline | None) -> None:
        """Raises what a client gets from a server that is away or silent, or out of its own time."""
        while self._frozen or (deadline is not None and deadline.expired):
            self.wait(deadline)
        if self._away:
            raise psycopg.OperationalError("connection refused")

    def wait(self, deadline: Deadline | None) -> None:
        """Let a moment of a client's waiting pass. Raises DeadlineExceeded."""
        if deadline is None or deadline.expired:
            raise DeadlineExceeded("no answer within the deadline")
        self.clock.sleep(min(self.look_seconds, deadline.remaining()))

    def grant(self, lock: Hashable, session: Session) -> bool:
        """Give a lock to a session if it is free; a holder that overstayed its own limits loses it."""
        with self.mutex:
            holder = self._held.get(lock)
            if holder is not None and holder is not session:
                if holder.expired() is None:
                    return False
                holder.end()
            self._held[lock] = session
            return True

    def release(self, locks: Iterable[Hashable]) -> None:
        """Let others have them."""
        for lock in locks:
            self._held.pop(lock, None)
