"""Which history a server is on: what tells one that has everything from one that was set back.

A server forgets committed writes only by being another server: restored from an older copy of its
data folder, promoted after the last commits were lost, or another one altogether. Each of these
begins with a start of the server, or makes the database or the ledger's file anew. So whatever
shows the same `key` has forgotten nothing; what shows another one has to be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import psycopg

from robusto.postgres.connection import Connection

#: Why a connection is refused, and why the direct path is shut.
SET_BACK = "set_back"

#: What is asked, in this order. The timeline is that of the WAL that is written now, for
#: pg_control_checkpoint() lags; the position is what survives a crash.
_ASKED = {
    "in_recovery": "pg_is_in_recovery()",
    "started": "extract(epoch FROM pg_postmaster_start_time())::text",
    "database": "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())",
    "ledger": "pg_relation_filenode(to_regclass('robusto_ledger'))::bigint",
    "system": "(SELECT system_identifier::text FROM pg_control_system())",
    "timeline": "CASE WHEN NOT pg_is_in_recovery() THEN"
    " left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) END",
    "position": "CASE WHEN NOT pg_is_in_recovery() THEN"
    " (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint END",
}
#: A service may keep these to itself (not granted, not there, not supported): then the rest decides.
_REFUSED = ("42501", "42883", "0A000")

HAS = "SELECT count(*) FROM robusto_ledger WHERE key = ANY(%s) AND state = 'applied'"


def query(without: frozenset[str] = frozenset()) -> str:
    """The one question about a server's history, without what it does not tell."""
    return "SELECT " + ", ".join("NULL" if name in without else sql for name, sql in _ASKED.items())


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a server says about its history; None for what it does not tell."""

    in_recovery: bool
    started: str | None
    database: int | None
    ledger: int | None
    system: str | None
    timeline: str | None
    position: int | None

    @property
    def key(self) -> str:
        """Stays the same as long as nothing can have been forgotten."""
        parts = (self.system, self.timeline, self.started, self.database, self.ledger)
        return "/".join("" if part is None else str(part) for part in parts)


#: Whether the ledger has all of these keys as applied. Raises psycopg.Error.
Has = Callable[[Sequence[UUID]], bool]


class Guard(Protocol):
    """Who decides whether a server may be written to."""

    def key(self) -> str | None:
        """The key of the lineage that has everything; None while there is none."""

    def admits(self, seen: Lineage, has: Has) -> bool:
        """Whether a new connection to this server may be used."""

    def confirms(self, seen: Lineage, has: Has) -> bool:
        """Whether it still has everything: the worker's look, each second."""


class NotAdmitted(psycopg.OperationalError):
    """A connection that is not to be used: to a standby, or to a server that was set back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Asking:
    """Asks servers for their lineage, and remembers what they do not tell."""

    def __init__(self) -> None:
        self._without: frozenset[str] = frozenset()

    def lineage(self, connection: Connection) -> Lineage:
        """Outside a transaction, one round trip. Raises psycopg.Error."""
        try:
            return Lineage(*self._row(connection, query(self._without)))
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise
        self._without = frozenset(name for name, sql in _ASKED.items() if not self._told(connection, sql))
        return Lineage(*self._row(connection, query(self._without)))

    def _told(self, connection: Connection, sql: str) -> bool:
        try:
            self._row(connection, f"SELECT {sql}")
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise
            return False
        return True

    def _row(self, connection: Connection, sql: str) -> tuple[Any, ...]:
        row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return tuple(row)


def has(connection: Connection, seen: Lineage) -> Has:
    """The question whether this server's ledger has certain keys."""

    def ask(keys: Sequence[UUID]) -> bool:
        if not keys:
            return True
        if seen.ledger is None:  # no ledger at all, or none that we may see
            return False
        row = connection.execute(HAS.encode(), (list(keys),)).fetchone()
        return row is not None and row[0] == len(set(keys))

    return ask
