"""A small business for the engine's tests: things, and a history of every change to them."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg

from robusto import Config, Engine, Refused, Transaction
from robusto.clock import Clock, SystemClock
from robusto.write import Payload

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()

_TABLES = """
CREATE TABLE things (
    id int PRIMARY KEY,
    value text NOT NULL CONSTRAINT no_poison CHECK (value <> 'poison'),
    code text CONSTRAINT one_code UNIQUE
);
CREATE TABLE parts (id int PRIMARY KEY, thing int NOT NULL CONSTRAINT of_a_thing REFERENCES things);
CREATE TABLE history (n bigserial PRIMARY KEY, id int NOT NULL, value text NOT NULL);
CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO history (id, value) VALUES (NEW.id, NEW.value); RETURN NULL; END';
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON things FOR EACH ROW EXECUTE FUNCTION remember();
"""


class EngineFactory(Protocol):
    """Makes open engines on the test's database and journal; closed at the end of the test."""

    def __call__(self, *, worker: bool = False, **settings: Any) -> Engine: ...


class JumpingClock(SystemClock):
    """This machine's clock, whose date and time are wrong by so much."""

    wrong = timedelta()

    def wall(self) -> datetime:
        return super().wall() + self.wrong


class Shop:
    """The database as its owner sees it, not through the engine."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        with self.connect() as connection:
            connection.execute(_TABLES)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as connection:
            yield connection

    def rows(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode(), params).fetchall()

    def run(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode())

    def history(self) -> list[str]:
        """Every value that was written, in the order of its writing."""
        return [value for (value,) in self.rows("SELECT value FROM history ORDER BY n")]

    def ledger(self) -> list[str]:
        """The states of the ledger's rows."""
        if self.rows("SELECT to_regclass('robusto_ledger')") == [(None,)]:
            return []
        return [state for (state,) in self.rows("SELECT state FROM robusto_ledger ORDER BY applied_at")]


def add_kinds(engine: Engine) -> Engine:
    """Good handlers and bad ones."""
    engine.statement("note", "INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)")
    engine.statement("other", "INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)")
    engine.statement("put", "INSERT INTO things (id, value, code) VALUES (%(id)s, %(value)s, %(code)s)")
    engine.statement("set", "UPDATE things SET value = %(value)s WHERE id = %(id)s")
    engine.statement("part", "INSERT INTO parts (id, thing) VALUES (%(id)s, %(thing)s)")

    @engine.handler("sql")
    def sql(tx: Transaction, payload: Payload) -> None:
        for statement in payload["statements"]:
            tx.execute(statement)

    @engine.handler("jot")
    def jot(tx: Transaction, payload: Payload) -> None:
        _note(tx, payload)

    @engine.handler("refuse")
    def refuse(tx: Transaction, payload: Payload) -> None:
        _note(tx, payload)
        raise Refused("conflict", seen=payload["value"])

    @engine.handler("swallow")
    def swallow(tx: Transaction, payload: Payload) -> None:
        _note(tx, payload)
        with suppress(Exception):
            tx.execute("SELECT 1 / 0")

    @engine.handler("wrap")
    def wrap(tx: Transaction, payload: Payload) -> None:
        try:
            tx.execute("INSERT INTO things (id, value) VALUES (%(id)s, 'poison')", payload)
        except Exception as error:
            raise RuntimeError("something went wrong") from error

    @engine.handler("bug")
    def bug(tx: Transaction, payload: Payload) -> None:
        _note(tx, payload)
        raise ZeroDivisionError

    return engine


def _note(tx: Transaction, payload: Payload) -> None:
    tx.execute("INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)", payload)


def engine_at(dsn: str, folder: Path, **settings: Any) -> Engine:
    """An engine on this database and journal with every kind, not open yet; `clock` is another clock."""
    clock: Clock | None = settings.pop("clock", None)
    values: dict[str, Any] = {"conninfo": dsn, "journal_path": folder, "encryption_key": KEY}
    return add_kinds(Engine(Config(**values | settings), clock=clock))


def note(value: str, id: int = 1) -> dict[str, Any]:
    """The payload of the kinds that only leave a trace."""
    return {"id": id, "value": value}


def put(id: int, value: str = "v", code: str | None = None) -> dict[str, Any]:
    """The payload of a new thing."""
    return {"id": id, "value": value, "code": code}


def wait_for(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for a condition; the bound is for safety alone."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about in time"
        time.sleep(0.01)


def drained(engine: Engine, seconds: float = 15.0) -> None:
    """Drain until nothing can be drained any more."""
    wait_for(lambda: not engine.drain().remaining, seconds)


def closed_breaker(engine: Engine) -> None:
    """Look at PostgreSQL until requests go to it again; drains what it can on the way."""

    def connected() -> bool:
        engine.drain()
        return engine.status().database_connected

    wait_for(connected)
