"""What other users of the same PostgreSQL do: hold locks, take every connection, change its settings."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql

from drill.faults.scene import Scene, repeating
from drill.server import Connection

_ROWS = 20
_CANCEL_SECONDS, _TAKE_SECONDS = 0.02, 0.1
_OTHERS = "SELECT pg_{what}_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {who}"
_CLIENTS = "backend_type = 'client backend'"


def rows_locked(scene: Scene) -> Iterator[None]:
    """A transaction that nobody ends holds some students that are being edited."""
    statement = (
        "SELECT 1 FROM alunos WHERE observacoes LIKE 'edit %%' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
    )
    with scene.server.connect() as connection, connection.transaction():
        connection.execute(statement, [_ROWS])
        yield


def table_locked(scene: Scene) -> Iterator[None]:
    """A transaction that nobody ends holds the whole table."""
    with scene.server.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE alunos IN ACCESS EXCLUSIVE MODE")
        yield


def all_connections_taken(scene: Scene) -> Iterator[None]:
    """Everybody is thrown out, and others take the places, for as long as it lasts."""
    with ExitStack() as taken, scene.server.connect() as first:

        def take() -> None:
            while True:
                try:
                    taken.enter_context(scene.server.connect(patience=0.0))
                except psycopg.OperationalError:
                    return  # all are taken: that is the fault

        _throw_out(first)
        take()
        with repeating(take, _TAKE_SECONDS):
            yield


def everybody_thrown_out(scene: Scene) -> Iterator[None]:
    """57P01 for every client."""
    with scene.server.connect() as connection:
        _throw_out(connection)
        yield


def statements_cancelled(scene: Scene) -> Iterator[None]:
    """57014 for whatever runs, again and again."""
    with scene.server.connect() as connection:
        cancel = _OTHERS.format(what="cancel", who=f"{_CLIENTS} AND state = 'active'")
        with repeating(lambda: connection.execute(cancel.encode()), _CANCEL_SECONDS):
            yield


def read_only(scene: Scene) -> Iterator[None]:
    """25006 for every write, on old connections too."""
    with scene.server.connect() as connection, _setting(connection, "default_transaction_read_only", "on"):
        yield


def standby_gone(scene: Scene) -> Iterator[None]:
    """COMMIT is done here and waits for a second server that does not exist."""
    with scene.server.connect() as connection, _setting(connection, "synchronous_standby_names", "ghost"):
        yield


def password_changed(scene: Scene) -> Iterator[None]:
    """28P01 for everybody who connects anew, and all have to."""
    with scene.server.connect() as connection:
        try:
            _set_password(connection, secrets.token_urlsafe(16))
            _throw_out(connection)
            yield
        finally:
            _set_password(connection, scene.server.password)


def _throw_out(connection: Connection) -> None:
    connection.execute(_OTHERS.format(what="terminate", who=_CLIENTS).encode())


def _set_password(connection: Connection, password: str) -> None:
    statement = sql.SQL("ALTER ROLE postgres PASSWORD {}")
    connection.execute(statement.format(sql.Literal(password)))


@contextmanager
def _setting(connection: Connection, name: str, value: str) -> Iterator[None]:
    assignment = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
    try:
        connection.execute(assignment)
        connection.execute("SELECT pg_reload_conf()")
        yield
    finally:
        connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")
