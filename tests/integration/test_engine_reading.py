"""Reading: PostgreSQL while it is there, the local copy when it is not, and where a write is."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from robusto import DatabaseUnavailable, Engine, Replica, WriteState
from tests.support.engine_kit import (
    EngineFactory,
    Shop,
    closed_breaker,
    drained,
    engine_at,
    note,
    put,
    wait_for,
)
from tests.support.postgres_server import PostgresServer
from tests.support.set_back import Backup

pytest_plugins = ["tests.support.engine_fixtures"]

THINGS = Replica(
    "things",
    "SELECT id, changed_at, json_build_object('value', value) FROM copied"
    " WHERE (changed_at, id) > (%(since)s, %(after)s::uuid) ORDER BY changed_at, id LIMIT %(limit)s",
)


def more_things(shop: Shop, first: int, last: int) -> None:
    shop.run(
        "INSERT INTO copied SELECT gen_random_uuid(), clock_timestamp(), n::text"
        f" FROM generate_series({first}, {last}) AS n"
    )


@pytest.fixture
def copied(shop: Shop) -> Shop:
    shop.run("CREATE TABLE copied (id uuid PRIMARY KEY, changed_at timestamptz NOT NULL, value text)")
    return shop


def values(engine: Engine) -> set[str]:
    return {row["value"] for row in engine.replica("things").rows().values()}


def test_a_local_copy_follows_postgresql_and_outlives_it(
    copied: Shop, folder: Path, postgres_server: PostgresServer
) -> None:
    more_things(copied, 1, 5000)  # several pages
    engine = engine_at(copied.dsn, folder)
    engine.replicate(THINGS)
    with engine.open():
        wait_for(lambda: len(values(engine)) == 5000)
        copied.run("UPDATE copied SET value = 'mudado', changed_at = clock_timestamp() WHERE value = '7'")
        more_things(copied, 5001, 5001)
        wait_for(lambda: {"mudado", "5001"} <= values(engine))
        assert "7" not in values(engine)
        wait_for(lambda: engine.replica("things").as_of)
        postgres_server.stop()
        assert len(values(engine)) == 5001
    later = engine_at(copied.dsn, folder)
    later.replicate(THINGS)
    with later.open(worker=False):
        assert len(values(later)) == 5001
        as_of = later.replica("things").as_of
        assert as_of is not None and (datetime.now(UTC) - as_of).total_seconds() < 60
    assert b"mudado" not in (folder / "replica.db").read_bytes()


def test_a_copy_that_never_was_says_so(copied: Shop, folder: Path) -> None:
    engine = engine_at(copied.dsn, folder)
    engine.replicate(THINGS)
    with engine.open(worker=False):
        assert engine.replica("things").as_of is None
        assert engine.replica("things").rows() == {}


def copied_all(engine: Engine) -> bool:
    return len(values(engine)) == 10


def test_a_damaged_copy_is_begun_anew(copied: Shop, folder: Path) -> None:
    more_things(copied, 1, 10)
    for damage in (False, True):
        if damage:
            (folder / "replica.db").write_bytes(b"junk" * 5000)
            for suffix in ("-wal", "-shm"):
                (folder / f"replica.db{suffix}").unlink(missing_ok=True)
        engine = engine_at(copied.dsn, folder)
        engine.replicate(THINGS)
        with engine.open():
            wait_for(partial(copied_all, engine))


def test_a_write_that_only_the_ledger_knows_is_found(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    elsewhere = engine_factory(folder=tmp_path / "elsewhere")
    receipt = elsewhere.submit("note", note("a"), key="k")
    here = engine_factory()
    found = here.find(receipt.id)
    assert found is not None
    assert (found.id, found.kind, found.state) == (receipt.id, "note", WriteState.STORED)
    assert found.stored_at is not None and found.accepted_at <= found.stored_at
    postgres_server.stop()
    with pytest.raises(DatabaseUnavailable):
        here.find(receipt.id)
    known_here = elsewhere.find(receipt.id)
    assert known_here is not None and known_here.state is WriteState.STORED


def test_a_write_that_was_fenced_elsewhere_is_found_set_aside(
    engine_factory: EngineFactory, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    elsewhere = engine_factory(folder=tmp_path / "elsewhere")
    postgres_server.stop()
    bad = elsewhere.submit("put", put(1, "poison"))
    postgres_server.start()
    closed_breaker(elsewhere)
    found = engine_factory().find(bad.id)
    assert found is not None
    assert (found.state, found.stored_at) == (WriteState.QUARANTINED, None)


def test_a_slow_read_is_ended_and_blames_nobody_else(engine_factory: EngineFactory) -> None:
    engine = engine_factory(deadline_seconds=0.4)
    with pytest.raises(DatabaseUnavailable) as error:
        engine.read(lambda tx: tx.execute("SELECT pg_sleep(5)"))
    assert not error.value.outage
    assert engine.read(lambda tx: tx.execute("SELECT 1").fetchone()) == (1,)


def test_a_mistake_in_a_query_is_the_callers(engine: Engine) -> None:
    with pytest.raises(Exception, match=r"42601|syntax"):
        engine.read(lambda tx: tx.execute("SELEC 1"))


def test_a_worker_may_be_a_thread_or_process_of_its_own(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    desk, worker = engine_factory(), engine_factory()
    thread = threading.Thread(target=worker.work)
    thread.start()
    postgres_server.stop()
    desk.submit("note", note("a"))
    postgres_server.start()
    wait_for(lambda: shop.history() == ["a"])
    worker.stop_working()
    thread.join(10)
    assert not thread.is_alive()
    assert engine_factory().drain().errors == []


def test_somebody_may_ask_postgresql_at_once(engine: Engine, postgres_server: PostgresServer) -> None:
    assert not engine.has_looked()
    engine.look()
    assert engine.has_looked()
    assert engine.status().level == "green"
    postgres_server.stop()
    engine.look()
    status = engine.status()
    assert (status.level, status.database_connected, status.breaker) == ("yellow", False, "open")
    assert status.as_json()["fallback_records"] == 0
    assert engine.journal_problem() == ""


def test_what_happened_is_in_the_activity_log(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine.submit("note", note("direct"))
    postgres_server.stop()
    engine.submit("note", note("pending"))
    postgres_server.start()
    closed_breaker(engine)

    def events() -> list[str]:
        return [each.name for each in reversed(engine.activity.page())]

    wait_for(lambda: "breaker_moved" in events() and "write_applied" in events())
    told = [each for each in events() if each.startswith(("write", "breaker_opened"))]
    assert told[:4] == ["write_stored", "breaker_opened", "write_pending", "write_applied"]


def test_a_journal_restored_from_a_backup_finds_its_turn_again_and_applies_nothing_twice(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    postgres_server.stop()
    engine.submit("note", note("a"), key="k")
    engine.close()
    backup = tmp_path / "backup"
    shutil.copytree(engine.config.folder, backup)
    postgres_server.start()
    with engine_factory() as first:
        drained(first)
        for value in "bcd":  # each of these passes is announced under a token of its own
            postgres_server.stop()
            first.submit("note", note(value))
            postgres_server.start()
            drained(first)
        assert shop.history() == ["a", "b", "c", "d"]
    shutil.rmtree(engine.config.folder)
    shutil.copytree(backup, engine.config.folder)
    restored = engine_factory()
    drained(restored)
    assert shop.history() == ["a", "b", "c", "d"]
    assert restored.verify().holds
    again = restored.submit("note", note("a"), key="k")
    assert (again.state, again.duplicate) == (WriteState.STORED, True)


def test_the_copy_is_made_equal_to_a_server_that_was_set_back(
    shop: Shop, folder: Path, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Rows are older there than the copy knows them, and no newer time of change tells so."""
    shop.run("CREATE TABLE copied (id uuid, changed_at timestamptz, value text)")
    shop.run("INSERT INTO copied VALUES ('00000000-0000-0000-0000-000000000001', now(), 'old')")
    engine = engine_at(shop.dsn, folder)
    engine.replicate(THINGS)

    def values() -> list[str]:
        return [row["value"] for row in engine.replica("things").rows().values()]

    with engine:
        closed_breaker(engine)
        copy = Backup(postgres_server, tmp_path / "copy")
        wait_for(lambda: engine.status().database_connected)
        assert engine.submit("note", note("a")).state is WriteState.STORED
        shop.run("UPDATE copied SET value = 'new', changed_at = now()")
        wait_for(lambda: values() == ["new"])
        copy.restore()
        wait_for(lambda: values() == ["old"])
        wait_for(lambda: shop.history() == ["a"])
