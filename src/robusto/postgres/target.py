"""Effect and ledger in one transaction: the port through which every attempt goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import psycopg

from robusto.deadline import Deadline
from robusto.errors import DatabaseUnavailable, LeaseLost, Refused
from robusto.failures import (
    CONFIGURATION_WAIT,
    NEW_CONNECTION,
    NOT_FLUSHED,
    WAIT_SECONDS,
    Phase,
    outcome_of,
)
from robusto.handlers import Handler
from robusto.outcome import Applied, Held, Outcome, Rejected, Scope, Unavailable
from robusto.postgres import ledger
from robusto.postgres.connection import Connect, Connection, connect
from robusto.postgres.diagnosis import failure_of
from robusto.postgres.ledger import Claim, Fence
from robusto.postgres.lineage import SET_BACK, Asking, Guard, Lineage, NotAdmitted, has
from robusto.postgres.pool import Pool, PoolExhausted
from robusto.postgres.schema import LOCK, STATEMENTS
from robusto.postgres.transaction import (
    CommitRefused,
    Transaction,
    begin,
    commit,
    require_healthy,
    rolled_back,
)
from robusto.write import Write

T = TypeVar("T")

#: The reason of a write that cannot take effect before a person has decided.
FENCED = "fenced"

_HOW_IS_IT = (
    "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only'), current_setting('fsync')"
)
_CHECK_INTERVAL_SINCE = 140_000
#: Below the shortest lease: a transaction that its client left is gone before its drainer's turn is.
_IDLE_SECONDS = 4
#: Seconds after which a write that was fenced off elsewhere comes before a person here too.
_FENCED_PATIENCE = 60.0


@dataclass(slots=True)
class _Progress:
    """How far an attempt has come, for the meaning of its failure."""

    phase: Phase = Phase.CONNECT


class _NoEffect(Exception):
    """The handler changed no row: the transaction must not leave a ledger row either."""


class PostgresTarget:
    """PostgreSQL as the engine sees it. One per process; threads share its pool."""

    def __init__(
        self,
        conninfo: str,
        pool_size: int,
        journal: Callable[[], UUID],
        connect: Connect = connect,
        guard: Guard | None = None,
    ) -> None:
        """Without a guard every server is taken as it is: for looking into one that was set back."""
        self._pool = Pool(conninfo, pool_size, self._prepare, self._fit, connect)
        self._journal = journal
        self._guard = guard
        self._asking = Asking()
        self._has_tables = False

    # -- writing -------------------------------------------------------------------------------

    def apply(self, write: Write, handler: Handler, deadline: Deadline, token: int | None) -> Outcome:
        """One try of one write: directly (no token), or as the drainer that holds this token.

        Raises LeaseLost when a newer drainer has announced itself.
        """
        progress = _Progress()
        try:
            with self._connection(deadline, progress) as connection:
                return self._apply(connection, write, handler, deadline, token, progress)
        except Refused as refusal:
            return Rejected(refusal.reason, detail=refusal.detail)
        except _NoEffect:
            return Rejected("no_effect")
        except CommitRefused:
            return Held("swallowed_error", Scope.KIND, retry_after=CONFIGURATION_WAIT, alarm=True)
        except PoolExhausted:
            return Held("pool_exhausted", retry_after=WAIT_SECONDS)
        except LeaseLost:
            raise
        except Exception as error:  # a handler may raise anything; each has its row in the table
            return self._outcome(error, progress.phase, has_parent=bool(write.after))

    def _apply(
        self,
        connection: Connection,
        write: Write,
        handler: Handler,
        deadline: Deadline,
        token: int | None,
        progress: _Progress,
    ) -> Outcome:
        begin(connection, deadline)
        tx = Transaction(connection)
        match ledger.claim(tx, write, self._journal(), token):
            case Claim.FIRST:
                _run(handler, Transaction(connection), write)  # counts the handler's rows, not the ledger's
                require_healthy(connection)
                progress.phase = Phase.COMMIT
                commit(connection)
                return Applied()
            case Claim.OURS | Claim.DUPLICATE as found:
                commit(connection)
                return Applied(duplicate=found is Claim.DUPLICATE)
            case Claim.KEY_REUSED:
                return Rejected("key_reused")
            case Claim.OUR_FENCE:
                return Rejected(FENCED)
            case Claim.FENCED:
                return Held(FENCED, retry_after=WAIT_SECONDS, patience=_FENCED_PATIENCE, alarm=True)
            case Claim.STALE_DRAINER:
                raise LeaseLost("a newer drainer has announced itself to PostgreSQL")

    def fence(self, write: Write, token: int, deadline: Deadline) -> Fence | Outcome:
        """Shut out every earlier attempt of this write, before a person decides about it."""
        return self._transact(lambda tx: ledger.fence(tx, write, self._journal(), token), deadline)

    def announce(self, token: int, deadline: Deadline) -> int | Outcome:
        """Tell PostgreSQL who drains from now on; the newest token that it knows then."""
        return self._transact(lambda tx: ledger.announce(tx, self._journal(), token), deadline)

    def _transact(self, work: Callable[[Transaction], T], deadline: Deadline) -> T | Outcome:
        progress = _Progress()
        try:
            with self._connection(deadline, progress) as connection:
                begin(connection, deadline)
                result = work(Transaction(connection))
                progress.phase = Phase.COMMIT
                commit(connection)
                return result
        except PoolExhausted:
            return Held("pool_exhausted", retry_after=WAIT_SECONDS)
        except psycopg.Error as error:
            return self._outcome(error, progress.phase, has_parent=False)

    # -- asking --------------------------------------------------------------------------------

    def probe(self, deadline: Deadline) -> Unavailable | str | None:
        """Ask whether PostgreSQL takes writes now, and has everything; None when it does.

        A code when it does and yet cannot be trusted with them: NOT_FLUSHED.
        """

        def ask(tx: Transaction) -> Unavailable | str | None:
            in_recovery, read_only, fsync = tx.execute(_HOW_IS_IT).fetchone() or (True, "on", "on")
            if in_recovery or read_only == "on":
                return Unavailable("read_only")
            return NOT_FLUSHED if fsync == "off" else None

        try:
            found = self.read(ask, deadline)
            if isinstance(found, Unavailable):
                self._pool.drop_idle()  # perhaps another host is the primary now: look it up again
                return found
            if self._query(self._confirmed, deadline):
                return found
            return Unavailable(SET_BACK)
        except DatabaseUnavailable as error:
            return Unavailable(error.reason, alarm=error.alarm) if error.outage else None

    def lineage(self, deadline: Deadline) -> Lineage:
        """Which history the server is on. Raises DatabaseUnavailable."""
        return self._query(self._asking.lineage, deadline)

    def _confirmed(self, connection: Connection) -> bool:
        if self._guard is None:
            return True
        seen = self._asking.lineage(connection)
        return self._guard.confirms(seen, has(connection, seen))

    def read(self, work: Callable[[Transaction], T], deadline: Deadline) -> T:
        """Run queries in one read-only transaction. Raises DatabaseUnavailable for an outage."""

        def in_transaction(connection: Connection) -> T:
            begin(connection, deadline, read_only=True)
            return work(Transaction(connection))

        return self._query(in_transaction, deadline)

    def _query(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        """A connection that died in the pool says nothing about the server: the next one is new."""
        try:
            return self._query_once(work, deadline)
        except DatabaseUnavailable as error:
            if not error.again:
                raise
        return self._query_once(work, deadline)

    def _query_once(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        progress = _Progress()
        try:
            with self._connection(deadline, progress) as connection:
                return work(connection)
        except PoolExhausted as error:
            raise DatabaseUnavailable("pool_exhausted") from error
        except psycopg.Error as error:
            outcome = self._outcome(error, progress.phase, has_parent=False)
            match outcome:
                case Unavailable(reason=reason, alarm=alarm, again=again):
                    raise DatabaseUnavailable(reason, outage=True, alarm=alarm, again=again) from error
                case Held(reason=reason, alarm=alarm):
                    raise DatabaseUnavailable(reason, alarm=alarm) from error
                case _:
                    raise

    # -- connections ---------------------------------------------------------------------------

    @contextmanager
    def _connection(self, deadline: Deadline, progress: _Progress) -> Iterator[Connection]:
        connection = self._pool.take(deadline)
        progress.phase = Phase.WORK
        try:
            with rolled_back(connection):
                yield connection
        except psycopg.Error as error:
            if error.sqlstate in NEW_CONNECTION:
                connection.abandon()
            raise
        finally:
            self._pool.give_back(connection)

    def _prepare(self, connection: Connection) -> None:
        """What every session of ours is set to, also against the role's or database's own settings."""
        settings = "SET synchronous_commit = on"
        settings += f"; SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'"
        if connection.info.server_version >= _CHECK_INTERVAL_SINCE:
            settings += "; SET client_connection_check_interval = '300ms'"
        connection.execute(settings.encode())
        if not self._has_tables:
            self._has_tables = _make_tables(connection)
        if self._guard is not None:
            self._admit(connection, self._guard)

    def _admit(self, connection: Connection, guard: Guard) -> None:
        """Raises NotAdmitted for a server that cannot, or must not, be written to now."""
        seen = self._asking.lineage(connection)
        if seen.in_recovery:  # it may be promoted under our feet, into a history that nobody has compared
            raise NotAdmitted("read_only")
        if seen.ledger is None and _make_tables(connection):
            seen = self._asking.lineage(connection)
        if not guard.admits(seen, has(connection, seen)):
            raise NotAdmitted(SET_BACK)
        connection.lineage = seen.key

    def _fit(self, connection: Connection) -> bool:
        """Whether an idle connection leads to the server that has everything."""
        return self._guard is None or connection.lineage == self._guard.key()

    def _outcome(self, error: BaseException, phase: Phase, *, has_parent: bool) -> Outcome:
        failure = failure_of(error, phase)
        outcome = outcome_of(failure, has_parent=has_parent)
        if isinstance(outcome, Unavailable):
            self._pool.drop_idle()
        elif failure.sqlstate == "42P01":
            self._has_tables = False  # perhaps it is ours that is gone: look at the next connection
        return outcome

    def close(self) -> None:
        """End the idle connections."""
        self._pool.drop_idle()


def _run(handler: Handler, tx: Transaction, write: Write) -> None:
    try:
        # Its own copy: what a handler does to its payload must not get into the next try or the journal.
        handler.apply(tx, deepcopy(write.payload))
    except Exception as error:
        if tx.first_error is not None and not isinstance(error, psycopg.Error | Refused):
            raise tx.first_error from error  # wrapped by the handler or a library above it
        raise
    if tx.first_error is not None and tx.first_error.sqlstate is None:
        raise tx.first_error  # a lost connection is no mistake of the handler's
    if tx.rows_changed == 0:
        raise _NoEffect


def _make_tables(connection: Connection) -> bool:
    """Create the engine's tables where they are missing; true when they are there."""
    found = connection.execute(
        "SELECT to_regclass('robusto_ledger'), to_regclass('robusto_drainer')"
    ).fetchone()
    if found is None or None in found:
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                for statement in STATEMENTS:
                    connection.execute(statement.encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            return False  # whoever needs them will get the server's own refusal
    return True
