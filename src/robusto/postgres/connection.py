"""A connection that ends by itself when the deadline has come, whatever the server does.

No libpq or server timeout frees a client whose backend is frozen: the kernel goes on acknowledging.
So the deadline sits where psycopg waits, in the waiting thread itself, and costs nothing measurable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import pq, waiting
from psycopg._conninfo_attempts import conninfo_attempts
from psycopg.abc import ConnDict, PQGenConn
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PollingStatus
from psycopg.rows import tuple_row
from psycopg.waiting import Wait

from robusto.deadline import Deadline
from robusto.postgres import libpq

T = TypeVar("T")

#: Seconds between psycopg's own looks for interrupts.
_INTERVAL = 0.1


#: How a connection is made, within a deadline. Raises psycopg.Error.
Connect = Callable[[str, Deadline], "Connection"]


class DeadlineExceeded(psycopg.OperationalError):
    """The client stopped waiting; what the server does with the statement is not known."""


class Connection(psycopg.Connection[Any]):
    """A psycopg connection with a deadline in its `wait`."""

    deadline: Deadline | None = None
    #: The key of the lineage that its server showed; "" where nobody asked.
    lineage: str = ""

    def wait(self, gen: Any, interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        if self.deadline is None:
            return super().wait(gen, interval=interval, timeout=timeout)
        try:
            return waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=self.deadline.remaining())
        except psycopg.errors._WaitTimeout:
            # It is in an unknown state: nobody may use it again, and in this thread it can be ended.
            self.pgconn.finish()
            raise DeadlineExceeded("no answer within the deadline") from None

    def abandon(self) -> None:
        """End the connection at once, without a word to the server."""
        self.pgconn.finish()


def connect(conninfo: str, deadline: Deadline) -> Connection:
    """Connect within the deadline, names, TLS and login included. Raises psycopg.Error.

    libpq's own connect_timeout knows no less than two seconds, and resolving a name knows none at
    all: names are resolved in a thread that may be left behind.
    """
    params = conninfo_to_dict(conninfo)
    params.setdefault("application_name", "robusto")
    # A net below the deadline, for the black holes that swallow packets (2 to 3 s together).
    params.setdefault("keepalives_idle", "2")
    params.setdefault("keepalives_interval", "1")
    params.setdefault("keepalives_count", "2")
    params.setdefault("tcp_user_timeout", "3000")
    if "," in str(params.get("host", "")):  # of several servers only the one that takes writes will do
        params.setdefault("target_session_attrs", "read-write")
    attempts = _within(deadline, lambda: conninfo_attempts(params))
    failure: psycopg.Error = psycopg.OperationalError("the host has no address")
    for left, attempt in zip(range(len(attempts), 0, -1), attempts, strict=True):
        try:  # a silent host must leave time for the next one
            return _connect_one(attempt, deadline.at_most(deadline.remaining() / left))
        except psycopg.errors._WaitTimeout:
            failure = DeadlineExceeded("no connection within the deadline")
        except psycopg.Error as error:
            failure = error
    raise failure


def _connect_one(attempt: ConnDict, deadline: Deadline) -> Connection:
    generator = _login(make_conninfo("", **attempt))
    connection = waiting.wait_conn(generator, interval=_INTERVAL, timeout=deadline.remaining())
    connection._autocommit = True
    connection.row_factory = tuple_row
    return connection


def _login(conninfo: str) -> PQGenConn[Connection]:
    """psycopg's own connect generator, but for one thing: a refusal keeps its SQLSTATE."""
    pgconn = pq.PGconn.connect_start(conninfo.encode())
    libpq.only_sqlstates(pgconn)
    if pgconn.status != pq.ConnStatus.BAD:  # polled before the handshake is through, libpq would block
        yield pgconn.socket, Wait.W
    while True:
        stage = pgconn.status
        match pgconn.connect_poll():
            case PollingStatus.READING:
                while not (yield pgconn.socket, Wait.R):
                    pass  # only a look for interrupts: libpq blocks when it is polled too early
            case PollingStatus.WRITING:
                while not (yield pgconn.socket, Wait.W):
                    pass
            case PollingStatus.OK:
                libpq.whole_errors(pgconn)
                pgconn.nonblocking = 1
                return Connection(pgconn)
            case _:
                message = pgconn.get_error_message()
                pgconn.finish()
                if stage == pq.ConnStatus.SSL_STARTUP:
                    raise TLSRefused(message, None)
                raise ConnectionRefused(message, libpq.sqlstate_in(message))


class ConnectionRefused(psycopg.OperationalError):
    """The server, or nobody, answered with a refusal; with its SQLSTATE where it gave one."""

    def __init__(self, message: str, state: str | None) -> None:
        super().__init__(message)
        self.sqlstate = state


class TLSRefused(ConnectionRefused):
    """The server has no encryption, or no certificate that is trusted, and the address asks for it."""


def _within(deadline: Deadline, call: Callable[[], T]) -> T:
    """Run a call that knows no timeout in a thread that may be left behind."""
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(call())
        except psycopg.Error as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="robusto-resolve", daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if answer:
        return answer[0]
    if failure:
        raise failure[0]
    raise DeadlineExceeded("the host's name was not resolved within the deadline")
