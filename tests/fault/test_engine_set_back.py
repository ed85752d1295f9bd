"""PostgreSQL comes back having forgotten committed writes (faults 17 and 63): all of them return, once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from robusto import Engine, WriteState, local
from robusto.config import Config
from robusto.errors import ConfigError
from robusto.write import Write
from tests.support.engine_child import spawn
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, note, put, wait_for
from tests.support.engine_proxy import Loss, Proxy
from tests.support.failover import Pair
from tests.support.postgres_server import PostgresServer
from tests.support.set_back import Backup
from tests.support.set_back_child import POINTS, run

pytest_plugins = ["tests.support.engine_fixtures"]


@pytest.fixture
def backup(postgres_server: PostgresServer, tmp_path: Path) -> Callable[[], Backup]:
    """Copies the server's data folder now."""
    return lambda: Backup(postgres_server, tmp_path / "copy")


def direct(engine: Engine, value: str, *keys: str, kind: str = "note") -> None:
    closed_breaker(engine)
    assert engine.submit(kind, note(value), key=value, ordering_keys=keys).state is WriteState.STORED


def drained(engine: Engine, server: PostgresServer, *values: str, keys: tuple[str, ...] = ()) -> None:
    """Accepted in an outage, then sent."""
    server.stop()
    for value in values:
        assert engine.submit("note", note(value), key=value, ordering_keys=keys).state is WriteState.PENDING
    server.start()
    closed_breaker(engine)


def recovered(engine: Engine) -> None:
    """Let it find out and put right what it can."""
    engine.drain()
    wait_for(lambda: engine.drain().remaining == 0 and engine.set_back() is None, 60)
    closed_breaker(engine)


def put_right(engine: Engine) -> None:
    """The same, where something has to wait for a person."""

    def tried() -> bool:
        engine.drain()
        return engine.set_back() is None

    wait_for(tried, 60)


def events(engine: Engine, name: str) -> list[dict[str, object]]:
    wait_for(lambda: engine.activity.page(name=name) or None)
    return [each.facts for each in engine.activity.page(name=name)]


def figures(engine: Engine) -> tuple[int, ...]:
    """The proof's figures, which have to hold."""
    proof = engine.verify()
    assert proof.findings == []
    return proof.accepted, proof.stored, proof.pending, proof.quarantined, proof.discarded


def test_what_was_forgotten_comes_back_once_and_in_order(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup]
) -> None:
    direct(engine, "1", "k")
    drained(engine, postgres_server, "2", "3", keys=("k",))
    copy = backup()
    direct(engine, "4", "k")
    drained(engine, postgres_server, "5", "6", keys=("k",))
    direct(engine, "7", "k")
    direct(engine, "8", "k")
    drained(engine, postgres_server, "9", keys=("k",))
    copy.restore()
    assert shop.history() == ["1", "2", "3"]
    recovered(engine)
    assert shop.history() == list("123456789")
    assert figures(engine) == (9, 9, 0, 0, 0)
    (told,) = events(engine, "reoffered")
    assert (told["direct"], told["drained"]) == (3, 3)
    direct(engine, "10", "k")
    assert shop.history()[-1] == "10"


def test_no_direct_write_overtakes_what_was_forgotten(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, backup: Callable[[], Backup]
) -> None:
    """Nobody noticed the restore as an outage: the next one who writes does."""
    other = engine_factory()
    direct(engine, "1", "k")
    copy = backup()
    direct(engine, "2", "k")
    direct(other, "3", "k")
    copy.restore()
    late = other.submit("note", note("4"), ordering_keys=["k"])
    assert late.state is WriteState.PENDING
    assert engine.submit("note", note("5"), ordering_keys=["elsewhere"]).state is WriteState.PENDING
    assert shop.history() == ["1"]
    assert other.status().code == "set_back"
    assert other.status().level == "yellow"
    recovered(engine)
    assert shop.history() == ["1", "2", "3", "4", "5"]
    assert other.submit("note", note("6"), ordering_keys=["k"]).state is WriteState.STORED
    assert figures(engine) == (6, 6, 0, 0, 0)


def test_idle_processes_learn_of_it_before_they_write(
    engine: Engine, shop: Shop, backup: Callable[[], Backup]
) -> None:
    """A worker elsewhere puts it right; a process that slept through it goes on with new connections."""
    direct(engine, "1", "k")
    copy = backup()
    direct(engine, "2", "k")
    child = spawn("worker", shop.dsn, engine.config.folder)
    child.line()
    try:
        copy.restore()
        wait_for(lambda: shop.history() == ["1", "2"])
        wait_for(lambda: engine.status().database_connected)
        assert engine.submit("note", note("3"), ordering_keys=["k"]).state is WriteState.STORED
        assert shop.history() == ["1", "2", "3"]
        assert figures(engine) == (3, 3, 0, 0, 0)
    finally:
        child.close()


def test_a_plain_restart_is_no_incident(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    direct(engine, "1")
    other = engine_factory()
    for stop in (postgres_server.stop, postgres_server.kill):
        stop()
        postgres_server.start()
        for each in (engine, other):  # no worker has looked yet: each finds out for itself
            assert each.submit("note", note("x")).state is WriteState.STORED
            assert each.set_back() is None
    assert engine.activity.page(name="server_set_back") == []


@pytest.mark.parametrize("times", [1, 2])
def test_what_came_back_can_be_forgotten_again(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup], times: int
) -> None:
    copy = backup()
    direct(engine, "1", "k")
    drained(engine, postgres_server, "2", keys=("k",))
    direct(engine, "3", "k")
    for _ in range(times):
        copy.restore()
        recovered(engine)
        assert shop.history() == ["1", "2", "3"]
    direct(engine, "4", "k")
    copy.restore()
    recovered(engine)
    assert shop.history() == ["1", "2", "3", "4"]
    assert figures(engine) == (4, 4, 0, 0, 0)


def test_a_write_that_is_refused_now_comes_before_a_person_and_keeps_its_place(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup]
) -> None:
    copy = backup()
    closed_breaker(engine)
    engine.submit("put", put(1, "a"), key="put", ordering_keys=["k"])
    direct(engine, "behind it", "k")
    direct(engine, "elsewhere", "x")
    copy.put_in_place()
    assert engine.submit("note", note("last"), ordering_keys=["k"]).state is WriteState.PENDING
    postgres_server.start()
    shop.run("INSERT INTO things (id, value) VALUES (1, 'in the way')")
    put_right(engine)
    (refused,) = engine.quarantine.list()
    assert refused.reason == "23505"
    assert shop.history() == ["in the way", "elsewhere"]
    assert figures(engine) == (4, 1, 2, 1, 0)
    wait_for(lambda: len(engine.backlog.parked().behind) == 2)
    shop.run("DELETE FROM things")
    engine.quarantine.requeue(refused.id, who="ana", reason="the other one is gone")
    recovered(engine)
    assert shop.history() == ["in the way", "elsewhere", "a", "behind it", "last"]
    assert figures(engine) == (4, 4, 0, 0, 0)


def test_what_cannot_go_now_is_held_and_lets_nobody_past(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, backup: Callable[[], Backup]
) -> None:
    """The version that is deployed again does not know the kind."""
    copy = backup()

    @engine.handler("new.kind")
    def new_kind(tx, payload):
        tx.execute("INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)", payload)

    direct(engine, "1", "k", kind="new.kind")
    direct(engine, "2", "k")
    direct(engine, "3", "x")
    engine.close()
    copy.restore()
    older = engine_factory()
    put_right(older)
    assert shop.history() == ["3"]
    assert older.submit("note", note("4"), ordering_keys=["k"]).state is WriteState.PENDING
    assert figures(older)[:3] == (4, 1, 3)
    older.close()
    with engine:
        recovered(engine)
        assert shop.history() == ["3", "1", "2", "4"]
        assert figures(engine) == (4, 4, 0, 0, 0)


def test_decisions_stay_decided(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup]
) -> None:
    """A fence that was forgotten stands again, so that no other host applies what was given up."""
    copy = backup()
    postgres_server.stop()
    refused = engine.submit("put", put(1, "poison"), key="p")
    given_up = engine.submit("put", put(2, "poison"), key="q")
    postgres_server.start()
    closed_breaker(engine)
    engine.quarantine.discard(given_up.id, who="ana", reason="given up")
    copy.restore()
    recovered(engine)
    fences = shop.rows("SELECT key FROM robusto_ledger WHERE state = 'fenced'")
    assert {key for (key,) in fences} == {refused.id, given_up.id}
    assert figures(engine) == (2, 0, 0, 1, 1)


def test_an_empty_new_database_gets_everything(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    direct(engine, "1", "k")
    drained(engine, postgres_server, "2", keys=("k",))
    engine.close()
    with postgres_server.new_database() as dsn:
        empty = Shop(dsn)
        other = engine_factory(conninfo=dsn)
        recovered(other)
        assert empty.history() == ["1", "2"]
        assert figures(other) == (2, 2, 0, 0, 0)
        (told,) = events(other, "server_set_back")
        assert told["reason"] == "newest_missing"
        other.close()


def test_more_than_a_batch_comes_back(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup]
) -> None:
    copy = backup()
    closed_breaker(engine)
    for n in range(600):
        assert engine.submit("note", note(str(n)), ordering_keys=["k"]).state is WriteState.STORED
    copy.restore()
    recovered(engine)
    assert shop.history() == [str(n) for n in range(600)]
    assert figures(engine) == (600, 600, 0, 0, 0)


# -- an operator's word ----------------------------------------------------------------------------


def test_with_ask_everything_waits_for_an_operator(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, backup: Callable[[], Backup]
) -> None:
    engine = engine_factory(reoffer="ask")
    copy = backup()
    direct(engine, "1", "k")
    drained(engine, postgres_server, "2", keys=("k",))
    copy.restore()
    for _ in range(3):
        engine.drain()
    status = engine.status()
    assert (status.level, status.code, status.missing) == ("red", "set_back_waits", 2)
    assert status.cause in ("earlier_position", "newest_missing")
    incident = engine.set_back()
    assert incident is not None and incident.waiting == 2
    assert engine.submit("note", note("3"), ordering_keys=["k"]).state is WriteState.PENDING
    assert shop.history() == []
    assert engine.reoffer(who="ana")
    assert not engine.reoffer(who="ana")
    recovered(engine)
    assert shop.history() == ["1", "2", "3"]
    assert figures(engine) == (3, 3, 0, 0, 0)
    (told,) = events(engine, "reoffer_allowed")
    assert (told["who"], told["count"]) == ("ana", 2)


def test_with_ask_nothing_waits_when_nothing_is_missing(
    engine_factory: EngineFactory, shop: Shop, backup: Callable[[], Backup]
) -> None:
    engine = engine_factory(reoffer="ask")
    direct(engine, "1")
    copy = backup()
    # Somebody else's work is lost, none of ours, and so much of it that a restart does not make up for it.
    shop.run("CREATE TABLE others AS SELECT generate_series(1, 300000)")
    engine.look()
    copy.restore()
    recovered(engine)
    assert engine.submit("note", note("2")).state is WriteState.STORED
    assert [told["reason"] for told in events(engine, "server_set_back")] == ["earlier_position"]


def test_a_wrong_word_for_reoffer_stops_the_start() -> None:
    environ = {
        "DATABASE_URL": "postgresql://u@h/d", "ROBUSTO_JOURNAL_PATH": "/nowhere",
        "ROBUSTO_ENCRYPTION_KEY": "a" * 43 + "=", "ROBUSTO_REOFFER": "sometimes",
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"^ROBUSTO_REOFFER must be auto or ask, not 'sometimes'$"):
        Config.from_env(environ)
    assert Config.from_env(environ | {"ROBUSTO_REOFFER": "ask"}).reoffer == "ask"
    assert Config.from_env(environ | {"ROBUSTO_REOFFER": ""}).reoffer == "auto"


# -- killed, late, damaged -------------------------------------------------------------------------


@pytest.mark.parametrize("point", POINTS)
def test_killed_in_the_middle_it_goes_on_where_it_was(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer,
    backup: Callable[[], Backup], point: str,
) -> None:  # fmt: skip
    copy = backup()
    direct(engine, "1", "k")
    drained(engine, postgres_server, "2", "3", keys=("k",))
    direct(engine, "4", "k")
    direct(engine, "5", "k")
    folder = engine.config.folder
    engine.close()
    copy.restore()
    assert run(point, shop.dsn, folder) == -signal.SIGKILL
    survivor = engine_factory()
    assert survivor.inspect()[0].balanced
    if survivor.set_back() is not None:
        assert survivor.submit("note", note("6"), ordering_keys=["k"]).state is WriteState.PENDING
    recovered(survivor)
    assert "".join(shop.history()).removesuffix("6") == "12345"
    assert figures(survivor)[2:] == (0, 0, 0)


def test_a_copy_that_is_noted_late_is_missed_and_comes_back(
    engine: Engine, shop: Shop, backup: Callable[[], Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stood still between the commit and its copy while PostgreSQL was set back."""
    direct(engine, "1", "k")
    copy = backup()
    closed_breaker(engine)
    copies = engine._ready().copies
    asleep, awake = threading.Event(), threading.Event()
    keep = copies.keep

    def late(write: Write) -> None:
        asleep.set()
        assert awake.wait(60)
        keep(write)

    monkeypatch.setattr(copies, "keep", late)
    sleeper = threading.Thread(
        target=engine.submit, args=("note", note("2")), kwargs={"ordering_keys": ["k"]}
    )
    sleeper.start()
    assert asleep.wait(10)
    copy.restore()
    recovered(engine)
    assert shop.history() == ["1"]
    awake.set()
    sleeper.join()
    monkeypatch.undo()
    engine.look()  # the worker does this each second
    assert engine.set_back() is not None
    recovered(engine)
    assert shop.history() == ["1", "2"]
    assert figures(engine) == (2, 2, 0, 0, 0)


def test_without_its_memory_of_the_last_server_it_goes_by_the_newest_writes(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, backup: Callable[[], Backup]
) -> None:
    direct(engine, "1")
    copy = backup()
    direct(engine, "2")
    engine.close()
    (engine.config.folder / "lineage").write_bytes(b"")
    copy.restore()
    other = engine_factory()
    assert other.submit("note", note("3")).state is WriteState.PENDING
    recovered(other)
    assert shop.history() == ["1", "2", "3"]
    assert [told["reason"] for told in events(other, "server_set_back")] == ["newest_missing"]


def test_a_copy_that_cannot_be_opened_comes_before_a_person(
    engine: Engine, shop: Shop, backup: Callable[[], Backup]
) -> None:
    copy = backup()
    direct(engine, "1", "k")
    direct(engine, "2", "k")
    direct(engine, "3", "x")
    db = local.connect(engine.config.folder / "copies.db", flush=True, create=False)
    db.execute("UPDATE copies SET sealed = CAST(substr(sealed, 1, 40) AS BLOB) WHERE n = 1")
    db.close()
    copy.restore()
    put_right(engine)
    (unreadable,) = engine.quarantine.list()
    assert unreadable.reason == "unreadable"
    assert shop.history() == ["3"]
    engine.quarantine.discard(unreadable.id, who="ana", reason="nobody can read it")
    recovered(engine)
    assert shop.history() == ["3", "2"]
    assert figures(engine) == (3, 2, 0, 0, 1)


# -- other servers ---------------------------------------------------------------------------------


def test_an_asynchronous_failover_that_lost_commits_loses_nothing(
    tmp_path: Path, engine_factory: EngineFactory
) -> None:
    """Fault 17: the standby that is promoted has never heard of the last commits."""
    pair = Pair(tmp_path)
    try:
        shop = Shop(pair.first.url)
        engine = engine_factory(conninfo=pair.dsn)
        direct(engine, "1", "k")
        pair.fall_behind()
        direct(engine, "2", "k")
        direct(engine, "3", "k")
        pair.first.stop_now(fast_seconds=0, immediate_seconds=0)
        assert engine.submit("note", note("4"), ordering_keys=["k"]).state is WriteState.PENDING
        pair.promote()
        shop.dsn = pair.second.url
        assert shop.history() == ["1"]
        recovered(engine)
        assert shop.history() == ["1", "2", "3", "4"]
        assert figures(engine) == (4, 4, 0, 0, 0)
        assert [told["reason"] for told in events(engine, "server_set_back")] == ["other_timeline"]
        engine.close()
    finally:
        pair.close()


def test_another_server_altogether_gets_everything(
    engine: Engine, engine_factory: EngineFactory, tmp_path: Path
) -> None:
    direct(engine, "1", "k")
    engine.close()
    (tmp_path / "other").mkdir()
    server = PostgresServer(tmp_path / "other")
    server.start()
    try:
        shop = Shop(server.dsn)
        elsewhere = engine_factory(conninfo=server.dsn)
        assert elsewhere.submit("note", note("2"), ordering_keys=["k"]).state is WriteState.PENDING
        recovered(elsewhere)
        assert shop.history() == ["1", "2"]
        assert [told["reason"] for told in events(elsewhere, "server_set_back")] == ["other_system"]
        elsewhere.close()
    finally:
        server.stop()


def test_a_role_that_may_not_ask_for_the_system_notices_it_by_the_rest(
    engine_factory: EngineFactory, shop: Shop, backup: Callable[[], Backup]
) -> None:
    shop.run("REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn),"
             " pg_current_wal_flush_lsn() FROM PUBLIC")  # fmt: skip
    shop.run(
        "DO $$ BEGIN IF to_regrole('plain') IS NULL THEN CREATE ROLE plain LOGIN PASSWORD 'p'; END IF; END $$"
    )
    shop.run("GRANT ALL ON SCHEMA public TO plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;"
             " GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain")  # fmt: skip
    engine = engine_factory(conninfo=f"postgresql://plain:p@{shop.dsn.rpartition('@')[2]}")
    direct(engine, "1", "k")
    copy = backup()
    direct(engine, "2", "k")
    copy.restore()
    recovered(engine)
    assert shop.history() == ["1", "2"]
    assert figures(engine) == (2, 2, 0, 0, 0)
    assert [told["reason"] for told in events(engine, "server_set_back")] == ["newest_missing"]


def test_a_write_whose_first_answer_was_lost_is_still_counted_once(
    engine_factory: EngineFactory, shop: Shop, proxy: Proxy, backup: Callable[[], Backup]
) -> None:
    """Set back to when the ledger took the write for a direct one (found by the simulation)."""
    engine = engine_factory(conninfo=proxy.dsn(shop.dsn), retry_attempts=1)
    closed_breaker(engine)
    proxy.lose(Loss.AFTER)
    assert engine.submit("note", note("1")).state is WriteState.PENDING
    assert shop.rows("SELECT direct FROM robusto_ledger") == [(True,)]
    copy = backup()
    closed_breaker(engine)
    assert shop.rows("SELECT direct FROM robusto_ledger") == [(False,)]
    direct(engine, "2")
    copy.restore()
    recovered(engine)
    assert shop.history() == ["1", "2"]
    assert figures(engine) == (2, 2, 0, 0, 0)


def test_set_back_a_little_and_then_further_everything_keeps_its_place(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """What came back the first time is an entry by now; what was sent before it becomes one later."""
    first = Backup(postgres_server, tmp_path / "first")
    direct(engine, "1", "k")
    direct(engine, "2", "k")
    second = Backup(postgres_server, tmp_path / "second")
    direct(engine, "3", "k")
    direct(engine, "4", "k")
    second.restore()
    recovered(engine)
    direct(engine, "5", "k")
    first.restore()
    recovered(engine)
    assert shop.history() == ["1", "2", "3", "4", "5"]
    assert figures(engine) == (5, 5, 0, 0, 0)
