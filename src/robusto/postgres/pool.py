"""Connections that are ready to use, at most so many in a process.

psycopg_pool is not used: it connects in threads of its own with a retry policy of its own, and a
caller learns only that nothing came in time. Here a caller connects for itself inside its own
deadline and gets the server's own answer. One retry policy in the system.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from robusto.deadline import Deadline
from robusto.postgres.connection import Connect, Connection

#: Seconds that a request waits for a connection that others of its process use (fault 19).
_CHECKOUT_SECONDS = 0.5


class PoolExhausted(psycopg.OperationalError):
    """All connections of this process are in use."""


class Pool:
    """Last in, first out, so that a quiet process lets its surplus connections grow old together."""

    def __init__(
        self,
        conninfo: str,
        size: int,
        prepare: Callable[[Connection], None],
        fit: Callable[[Connection], bool],
        connect: Connect,
    ) -> None:
        """`prepare` makes a new connection ready or refuses it; `fit` says whether one may be used again."""
        self._conninfo = conninfo
        self._connect = connect
        self._fit = fit
        self._places = threading.BoundedSemaphore(size)
        self._prepare = prepare
        self._idle: list[Connection] = []

    def take(self, deadline: Deadline) -> Connection:
        """A connection with this deadline on it. Raises psycopg.Error, PoolExhausted among them."""
        if not self._places.acquire(timeout=min(_CHECKOUT_SECONDS, deadline.remaining())):
            raise PoolExhausted("all connections of this process are in use")
        try:
            connection = self._reuse() or self._connected(deadline)
        except BaseException:
            self._places.release()
            raise
        connection.deadline = deadline
        return connection

    def _reuse(self) -> Connection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if not connection.closed and self._fit(connection):
                return connection
            connection.abandon()
        return None

    def _connected(self, deadline: Deadline) -> Connection:
        connection = self._connect(self._conninfo, deadline)
        connection.deadline = deadline
        try:
            self._prepare(connection)
        except BaseException:
            connection.abandon()
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection that is in order: open and outside a transaction; end any other."""
        if connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            connection.deadline = None
            self._idle.append(connection)
        else:
            connection.abandon()
        self._places.release()

    def drop_idle(self) -> None:
        """After a connection was lost its siblings are not to be trusted: the server has restarted."""
        while self._idle:
            try:
                self._idle.pop().abandon()
            except IndexError:
                return
