"""The transaction that a handler works in, and the one frame around every transaction of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from robusto.deadline import Deadline
from robusto.postgres.connection import Connection

#: Shares of what is left of the deadline (rule 4): the server gives up on a lock first, then on the
#: statement, then on the transaction, and each answer still reaches the waiting client.
_LOCK, _STATEMENT, _TRANSACTION = 0.4, 0.8, 0.95
_TRANSACTION_TIMEOUT_SINCE = 170_000


#: Transaction control, all but SAVEPOINT, RELEASE and ROLLBACK TO.
_ENDS_TRANSACTION = re.compile(
    r"\s*(BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|PREPARE\s+TRANSACTION"
    r"|ROLLBACK(?!\s+((WORK|TRANSACTION)\s+)?TO\b))\b",
    re.IGNORECASE,
)


class CommitRefused(Exception):
    """COMMIT was answered with ROLLBACK, or had to be: the handler swallowed a database error."""


class Transaction:
    """What a handler sees: it can run statements and nothing else.

    Remembers the first error, because a handler may swallow or wrap it, and how many rows changed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.first_error: psycopg.Error | None = None
        self.rows_changed = 0

    def execute(
        self, sql: str, params: Mapping[str, Any] | tuple[Any, ...] | None = None
    ) -> psycopg.Cursor[Any]:
        """Run one statement with `%s` or `%(name)s` placeholders. Raises psycopg.Error.

        Raises CommitRefused for a statement that would end the transaction, which is not the
        handler's; savepoints are.
        """
        if _ENDS_TRANSACTION.match(sql):
            raise CommitRefused
        try:
            cursor = self._connection.execute(sql.encode(), params)
        except psycopg.Error as error:
            self.first_error = self.first_error or error
            raise
        if not (cursor.statusmessage or "").startswith("SELECT"):
            self.rows_changed += max(0, cursor.rowcount)
        return cursor


def begin(connection: Connection, deadline: Deadline, *, read_only: bool = False) -> None:
    """Open a transaction whose server-side limits lie inside the deadline; one round trip."""
    limits = {"lock_timeout": _LOCK, "statement_timeout": _STATEMENT}
    if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        limits["transaction_timeout"] = _TRANSACTION
    left = 1000 * deadline.remaining()
    settings = "".join(f"; SET LOCAL {name} = {max(1, int(left * share))}" for name, share in limits.items())
    # One snapshot for a read of several statements; for a write what was committed meanwhile counts.
    mode = "ISOLATION LEVEL " + ("REPEATABLE READ READ ONLY" if read_only else "READ COMMITTED")
    connection.execute(f"BEGIN {mode}{settings}".encode())


def commit(connection: Connection) -> None:
    """COMMIT, and make sure that it was one. Raises CommitRefused, psycopg.Error."""
    if connection.execute("COMMIT").statusmessage != "COMMIT":
        raise CommitRefused


def require_healthy(connection: Connection) -> None:
    """Raises CommitRefused when an error was swallowed and COMMIT would quietly roll back, or when
    the handler ended the transaction itself and COMMIT would confirm nothing."""
    if connection.pgconn.transaction_status in (TransactionStatus.INERROR, TransactionStatus.IDLE):
        raise CommitRefused


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """Leave no transaction behind, whatever happens; a connection that cannot is left for dead."""
    try:
        yield
    finally:
        open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
        if connection.pgconn.transaction_status in open_states:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                connection.abandon()
