"""Codes of a real server, each brought about for real."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from robusto import DatabaseUnavailable, Engine, WriteRejected, WriteState
from tests.support.engine_kit import EngineFactory, Shop, drained, note, put

pytest_plugins = ["tests.support.engine_fixtures"]


def statements(*sql: str) -> dict[str, list[str]]:
    return {"statements": list(sql)}


def test_a_deadlock_is_tried_again_at_once(engine: Engine, shop: Shop) -> None:
    shop.run("ALTER SYSTEM SET deadlock_timeout = '50ms'")
    shop.run("SELECT pg_reload_conf()")
    engine.submit("put", put(1))
    engine.submit("put", put(2))
    locked, receipts = threading.Event(), []

    @engine.handler("embrace")
    def embrace(tx, payload):
        tx.execute("UPDATE things SET value = 'ours' WHERE id = 1")
        locked.set()
        tx.execute("UPDATE things SET value = 'ours' WHERE id = 2")

    with shop.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE things SET value = 'theirs' WHERE id = 2")
        thread = threading.Thread(target=lambda: receipts.append(engine.submit("embrace", {})))
        thread.start()
        assert locked.wait(10)
        with suppress(psycopg.errors.DeadlockDetected):  # one of the two is the victim
            connection.execute("UPDATE things SET value = 'theirs' WHERE id = 1")
        connection.execute("ROLLBACK")
        thread.join(10)
    drained(engine)
    assert [each.state for each in receipts] == [WriteState.STORED]
    assert shop.rows("SELECT value FROM things") == [("ours",), ("ours",)]


def test_a_missing_table_holds_the_kind_and_is_red(engine: Engine, shop: Shop) -> None:
    receipt = engine.submit("sql", statements("INSERT INTO missing VALUES (1)"))
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, "42P01")
    engine.drain()
    assert (engine.status().level, engine.inspect()[0].quarantined) == ("red", 0)
    shop.run("CREATE TABLE missing (id int)")
    drained(engine)
    assert shop.rows("SELECT id FROM missing") == [(1,)]


def test_a_missing_grant_holds_the_kind_and_is_red(engine_factory: EngineFactory, shop: Shop) -> None:
    engine_factory().submit("note", note("owner"))  # makes the engine's tables
    shop.run("DO $$ BEGIN IF to_regrole('clerk') IS NULL THEN CREATE ROLE clerk LOGIN; END IF; END $$")
    for what in ("TABLES", "SEQUENCES"):
        shop.run(f"GRANT ALL ON ALL {what} IN SCHEMA public TO clerk")
    shop.run("ALTER ROLE clerk PASSWORD 'clerk'; REVOKE INSERT ON history FROM clerk")
    dsn = shop.dsn.replace(shop.dsn.split("@")[0], "postgresql://clerk:clerk")
    clerk = engine_factory(conninfo=dsn)
    assert clerk.submit("note", note("a")).reason == "42501"
    clerk.drain()
    assert clerk.status().level == "red"
    shop.run("GRANT INSERT ON history TO clerk")
    drained(clerk)
    assert shop.history() == ["owner", "a"]
    shop.run("DROP OWNED BY clerk")


def test_a_read_only_database_is_an_outage(engine_factory: EngineFactory, shop: Shop, tmp_path: Path) -> None:
    engine_factory().submit("note", note("before"))
    name = shop.rows("SELECT current_database()")[0][0]
    shop.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    engine = engine_factory(folder=tmp_path / "another")
    receipt = engine.submit("note", note("a"))
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, "unavailable")
    engine.drain()
    assert engine.inspect()[0].quarantined == 0
    with psycopg.connect(shop.dsn, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())
    drained(engine)
    assert shop.history() == ["before", "a"]


def test_a_server_that_is_full_of_connections_is_an_outage(engine_factory: EngineFactory, shop: Shop) -> None:
    engine_factory().submit("note", note("before"))
    shop.run("DO $$ BEGIN IF to_regrole('clerk') IS NULL THEN CREATE ROLE clerk LOGIN; END IF; END $$")
    shop.run("ALTER ROLE clerk PASSWORD 'clerk' CONNECTION LIMIT 2")
    for what in ("TABLES", "SEQUENCES"):
        shop.run(f"GRANT ALL ON ALL {what} IN SCHEMA public TO clerk")
    dsn = shop.dsn.replace(shop.dsn.split("@")[0], "postgresql://clerk:clerk")
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(psycopg.connect(dsn))
        engine = engine_factory(conninfo=dsn)
        assert engine.submit("note", note("a")).state is WriteState.PENDING
        assert not engine.drain().processed
    drained(engine)
    assert shop.history() == ["before", "a"]
    engine.close()
    shop.run("ALTER ROLE clerk CONNECTION LIMIT -1")
    shop.run("DROP OWNED BY clerk")


def test_a_wrong_password_is_pending_and_red(engine_factory: EngineFactory, shop: Shop) -> None:
    engine = engine_factory(conninfo=shop.dsn.replace("@", "wrong@"))
    assert engine.submit("note", note("a")).state is WriteState.PENDING
    engine.drain()
    status = engine.status()
    assert not status.database_connected
    assert status.level == "red"  # the contract: PostgreSQL refuses by configuration (login)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("INSERT INTO things VALUES (1, NULL)", "23502"),
        ("INSERT INTO things VALUES (1, 'poison')", "23514"),
        ("INSERT INTO parts VALUES (1, 99)", "23503"),
        ("INSERT INTO things VALUES ('x', 'v')", "22P02"),
        ("INSERT INTO things VALUES (99999999999, 'v')", "22003"),
        ("SELEC 1", "42601"),
        ("DO 'BEGIN RAISE EXCEPTION $$no$$; END'", "P0001"),
    ],
)
def test_what_the_caller_can_mend_is_refused_and_nowhere(
    engine: Engine, shop: Shop, sql: str, reason: str
) -> None:
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("sql", statements(sql))
    assert refusal.value.reason == reason
    assert shop.ledger() == []
    assert engine.inspect()[0].last_seq == 0


def test_a_value_that_the_driver_cannot_send_is_refused(engine: Engine, shop: Shop) -> None:
    @engine.handler("unsendable")
    def unsendable(tx, payload):
        tx.execute("INSERT INTO history (id, value) VALUES (1, %s)", ("a\x00b",))

    with pytest.raises(WriteRejected) as refusal:
        engine.submit("unsendable", {})
    assert refusal.value.reason == "client:DataError"
    assert shop.ledger() == []


def test_the_roles_own_settings_do_not_weaken_a_commit(engine_factory: EngineFactory, shop: Shop) -> None:
    name = shop.rows("SELECT current_database()")[0][0]
    shop.run(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    shop.run(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'")
    engine = engine_factory()
    show = "INSERT INTO history (id, value) SELECT 1, current_setting('{}')"
    engine.submit("sql", statements(show.format("synchronous_commit"), show.format("transaction_isolation")))
    assert shop.history() == ["on", "read committed"]


def test_every_limit_of_the_server_lies_inside_the_deadline(engine: Engine, shop: Shop) -> None:
    def limits(tx):
        names = ["lock_timeout", "statement_timeout", "transaction_timeout"]
        return [
            tx.execute(f"SELECT extract(epoch FROM current_setting('{n}')::interval)").fetchone()[0]
            for n in names
        ]

    lock, statement, transaction = engine.read(limits)
    assert 0 < lock < statement < transaction < engine.config.deadline_seconds


def test_a_read_changes_nothing(engine: Engine, shop: Shop) -> None:
    with pytest.raises(DatabaseUnavailable):
        engine.read(lambda tx: tx.execute("INSERT INTO history (id, value) VALUES (1, 'x')"))
    assert shop.history() == []
