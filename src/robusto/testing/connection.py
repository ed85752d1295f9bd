"""The client's end: a connection of the engine's own driver that leads into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, TransactionStatus

from robusto.postgres import lineage
from robusto.postgres.connection import Connection, DeadlineExceeded
from robusto.testing import ledger
from robusto.testing.session import Session
from robusto.testing.values import Answer, Effect, Loss, Params, SqlError

if TYPE_CHECKING:
    from robusto.testing.server import FakeServer

_VERSION = 180000
#: What the engine asks a server about itself, with a healthy one's answers.
_FACTS = {
    "pg_is_in_recovery()": False,
    "current_setting('default_transaction_read_only')": "off",
    "current_setting('fsync')": "on",
    "to_regclass('robusto_ledger')": "robusto_ledger",
    "to_regclass('robusto_drainer')": "robusto_drainer",
}


class _Wire:
    """What the engine and psycopg look at in libpq's connection."""

    server_version = _VERSION
    notice_handler: Callable[..., None] | None = None
    notify_handler: Callable[..., None] | None = None

    def __init__(self, session: Session) -> None:
        self.session = session
        self.status = ConnStatus.OK

    @property
    def transaction_status(self) -> TransactionStatus:
        return self.session.status if self.status is ConnStatus.OK else TransactionStatus.UNKNOWN

    def finish(self) -> None:
        """The client hangs up; the server rolls back, unless it has a COMMIT in hand."""
        self.status = ConnStatus.BAD
        if not self.session.late:
            self.session.end()


class FakeConnection(Connection):
    """Runs the engine's statements on the ledger in memory, and a handler's on what stands in for it."""

    def __init__(self, server: FakeServer, session: Session) -> None:
        self._server = server
        self.session = session
        self._wire = _Wire(session)
        super().__init__(self._wire)  # type: ignore[arg-type]

    def __del__(self, *_: object) -> None:
        """Nothing is left open in the kernel."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        """One statement, or several that set limits. Raises what the driver raises."""
        sql = query.decode() if isinstance(query, bytes) else str(query)
        self._server.reached(sql, self.session)
        try:
            self._require_server()
            answer = self._run(sql, params)
        except SqlError as error:
            raise self._failed(error) from None
        self.session.touched()
        return answer

    def _require_server(self) -> None:
        try:
            self._server.require_answer(self.deadline)
            if not self.session.alive:
                raise psycopg.OperationalError("server closed the connection unexpectedly")
        except psycopg.OperationalError:
            self._wire.finish()
            raise
        ended = self.session.expired()
        if ended is not None:
            raise SqlError(ended)

    def _run(self, sql: str, params: Params) -> Answer:
        session, server = self.session, self._server
        if sql.startswith("SET "):
            session.set(sql)
            return Answer("SET")
        if sql.startswith("BEGIN "):
            session.begin(sql)
            return Answer("SET")
        if sql == "ROLLBACK":
            session.rollback()
            return Answer("ROLLBACK")
        if session.status is TransactionStatus.INERROR:
            return self._in_error(sql)
        if sql == "COMMIT":
            return self._commit()
        if sql in ledger.CHANGES:
            assert isinstance(params, dict)
            return ledger.CHANGES[sql](session, params, server.clock.wall())
        if sql == "SELECT clock_timestamp()":
            return Answer("SELECT 1", ((server.clock.wall(),),), 1)
        if sql == lineage.query():
            return Answer("SELECT 1", (server.lineage(),), 1)
        asked = sql.removeprefix("SELECT ").split(", ")
        if all(each in _FACTS for each in asked):
            return Answer("SELECT 1", (tuple(_FACTS[each] for each in asked),), 1)
        found = ledger.read(server.ledger, sql, params if isinstance(params, tuple) else ())
        return found or self._business(sql, params)

    def _in_error(self, sql: str) -> Answer:
        if sql != "COMMIT":
            raise SqlError("25P02")
        self.session.rollback()
        return Answer("ROLLBACK")

    def _business(self, sql: str, params: Params) -> Answer:
        code = self._server.next_failure()
        if code is not None:
            raise SqlError(code)
        changed = self._server.run(self.session, sql, params)
        if not isinstance(changed, int):
            return Answer(f"SELECT {len(changed)}", tuple(changed), len(changed))
        if changed:
            self.session.effects.append(Effect(sql, params))
        return Answer(f"UPDATE {changed}", rowcount=changed)

    def _commit(self) -> Answer:
        loss = self._server.next_loss(self.session)
        match loss:
            case None:
                self.session.commit()
                return Answer("COMMIT")
            case Loss.BEFORE:
                self.session.end()
            case Loss.AFTER:
                self.session.commit()
                self.session.end()
            case Loss.LATE:
                self.session.late = True
                self._wait_in_vain()
        self._wire.finish()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def _wait_in_vain(self) -> None:
        try:
            while self.session.late:
                self._server.wait(self.deadline)
        except DeadlineExceeded:
            self._wire.finish()
            raise

    def _failed(self, error: SqlError) -> psycopg.Error:
        fields: dict[int, bytes | None] = {DiagnosticField.SQLSTATE: error.sqlstate.encode()}
        if error.constraint is not None:
            fields[DiagnosticField.CONSTRAINT_NAME] = error.constraint.encode()
        if error.sqlstate in ("25P03", "25P04") or error.sqlstate.startswith(("57P", "08")):
            self.session.end()  # FATAL: the server says it and hangs up
            self._wire.finish()
        elif self.session.status is not TransactionStatus.IDLE:
            self.session.status = TransactionStatus.INERROR
        try:
            kind = psycopg.errors.lookup(error.sqlstate)
        except KeyError:
            kind = psycopg.DatabaseError
        return kind(error.sqlstate, info=fields)
