"""One backend of the server in memory: its transaction, its locks, its limits."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg.pq import TransactionStatus

from robusto.deadline import Deadline
from robusto.testing.values import Effect, Row, SqlError

if TYPE_CHECKING:
    from robusto.testing.server import FakeServer

#: SET [LOCAL] name = value; a number means milliseconds.
_SETTING = re.compile(r"SET (?:LOCAL )?(\w+) = '?(\d+)(s|ms)?'?")


class Session:
    """What one connection is at the server's end. Handlers' stand-ins get it too, for locks and reads."""

    def __init__(self, server: FakeServer, number: int) -> None:
        self.number = number
        self.status = TransactionStatus.IDLE
        self.alive = True
        #: It has a COMMIT in hand that nobody will hear of.
        self.late = False
        self.ledger: dict[UUID, Row] = {}
        self.tokens: dict[UUID, int] = {}
        self.effects: list[Effect] = []
        self._server = server
        self._locks: list[Hashable] = []
        self._limits: dict[str, float] = {}
        self._began = self._idle_since = server.clock.monotonic()

    # -- for what stands in for the business ----------------------------------------------------

    def seen(self) -> list[Effect]:
        """Everything that is committed, and what this transaction did itself."""
        return [*self._server.effects, *self.effects]

    def lock(self, name: Hashable) -> None:
        """Lock a row until the transaction ends. Raises SqlError 55P03 when others hold it too long."""
        self.take(("business", name))

    # -- statements ----------------------------------------------------------------------------

    def set(self, sql: str) -> None:
        """Take over every time limit that a statement sets."""
        for name, number, unit in _SETTING.findall(sql):
            self._limits[name] = int(number) * (1.0 if unit == "s" else 0.001)

    def begin(self, sql: str) -> None:
        """Open a transaction with the limits that come with it."""
        self.set(sql)
        self._began = self._server.clock.monotonic()
        self.status = TransactionStatus.INTRANS

    def touched(self) -> None:
        """The client has just said something, or been answered."""
        self._idle_since = self._server.clock.monotonic()

    def expired(self) -> str | None:
        """The code with which the server has ended this session by itself, if it has."""
        if self.status is TransactionStatus.IDLE or self.late:
            return None
        now = self._server.clock.monotonic()
        if now - self._idle_since > self._limits.get("idle_in_transaction_session_timeout", float("inf")):
            return "25P03"
        if now - self._began > self._limits.get("transaction_timeout", float("inf")):
            return "25P04"
        return None

    def row(self, key: UUID) -> Row | None:
        """A row of the ledger as this transaction sees it."""
        return self.ledger.get(key) or self._server.ledger.get(key)

    def token(self, journal: UUID) -> int | None:
        """A drainer's token as this transaction sees it."""
        return self.tokens.get(journal, self._server.tokens.get(journal))

    def take(self, lock: Hashable) -> None:
        """Wait for a lock, as long as the session's own limits allow. Raises SqlError."""
        server, limit = self._server, self._limits.get("lock_timeout", float("inf"))
        deadline = Deadline.after(server.clock, limit)
        while not server.grant(lock, self):
            if deadline.expired:
                raise SqlError("55P03")
            server.clock.sleep(min(server.look_seconds, deadline.remaining()))
            self.touched()
            if not self.alive:
                raise SqlError("57P01")
        if lock not in self._locks:
            self._locks.append(lock)

    # -- ends ----------------------------------------------------------------------------------

    def commit(self) -> None:
        """Let everything that was done take effect."""
        with self._server.mutex:
            self._server.ledger |= self.ledger
            self._server.tokens |= self.tokens
            self._server.effects += self.effects
            self._server.commits += 1
            self.rollback()

    def rollback(self) -> None:
        """Forget what was done, let go of the locks."""
        with self._server.mutex:
            self.ledger, self.tokens, self.effects = {}, {}, []
            self._server.release(self._locks)
            self._locks = []
            self.status = TransactionStatus.IDLE
            self.late = False

    def end(self) -> None:
        """The backend is gone, and with it what was not committed."""
        with self._server.mutex:
            self.rollback()
            self.alive = False
            self._server.sessions.pop(self, None)
