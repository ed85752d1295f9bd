"""PostgreSQL away in every way that it can be: what is answered, how soon, and what is there afterwards."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

from robusto import DatabaseUnavailable, Drained, Engine, KeyReused, WriteState
from tests.support.engine_child import spawn
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, drained, note, wait_for
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]

WAYS: dict[str, tuple[Callable[[PostgresServer], None], Callable[[PostgresServer], None]]] = {
    "killed": (PostgresServer.kill, PostgresServer.start),
    "stopped": (PostgresServer.stop, PostgresServer.start),
    "frozen": (PostgresServer.freeze, PostgresServer.thaw),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answered_in_time(engine: Engine, began: float) -> bool:
    """The deadline is for PostgreSQL; the journal has a second of its own."""
    return time.monotonic() - began < engine.config.deadline_seconds + 1


def test_every_write_of_an_outage_is_answered_in_time_and_is_there_once_and_in_order_afterwards(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, way: str
) -> None:
    leave, come_back = WAYS[way]
    engine, other = engine_factory(), engine_factory()
    for each in (engine, other):  # both have connections from better days
        each.submit("note", note("before"), ordering_keys=["a"])
    leave(postgres_server)
    began = time.monotonic()
    first = engine.submit("note", note("0"), key="k0", ordering_keys=["a"])
    assert answered_in_time(engine, began)
    assert first.state is WriteState.PENDING

    began = time.monotonic()
    for n in range(1, 10):  # known to every process by now: nobody waits for PostgreSQL again
        each = engine if n % 2 else other
        assert each.submit("note", note(str(n)), key=f"k{n}", ordering_keys=["a"]).state is WriteState.PENDING
    assert time.monotonic() - began < 2

    again = other.submit("note", note("0"), key="k0", ordering_keys=["a"])
    assert (again.id, again.state, again.duplicate) == (first.id, WriteState.PENDING, True)
    with pytest.raises(DatabaseUnavailable):
        engine.read(lambda tx: tx.execute("SELECT 1").fetchone())
    assert engine.status().level == "yellow"

    come_back(postgres_server)
    drained(engine)
    assert shop.history() == ["before", "before", *map(str, range(10))]
    assert engine.inspect()[0].applied == 10
    closed_breaker(engine)
    assert other.submit("note", note("after")).state is WriteState.STORED
    assert engine.verify().holds


def test_a_repeat_of_what_was_stored_before_the_outage_is_recognised(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    one, other = engine_factory(), engine_factory()
    first = one.submit("note", note("a"), key="k")
    postgres_server.stop()
    again = other.submit("note", note("a"), key="k")  # finds the outage out
    assert (again.id, again.state, again.duplicate) == (first.id, WriteState.STORED, True)
    assert other.submit("note", note("a"), key="k").state is WriteState.STORED  # knows of it
    with pytest.raises(KeyReused):
        other.submit("note", note("b"), key="k")
    assert one.inspect()[0].last_seq == 0


def test_a_key_of_a_pending_write_with_another_body_is_refused(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    engine.submit("note", note("a"), key="k")
    with pytest.raises(KeyReused):
        engine.submit("note", note("b"), key="k")
    postgres_server.start()
    drained(engine)
    assert shop.history() == ["a"]


def test_a_repeat_that_this_host_never_saw_is_settled_by_the_ledger(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, tmp_path
) -> None:
    elsewhere = engine_factory(folder=tmp_path / "another host")
    elsewhere.submit("note", note("a"), key="same")
    elsewhere.submit("note", note("a"), key="other", ordering_keys=["x"])
    here = engine_factory()
    postgres_server.stop()
    same = here.submit("note", note("a"), key="same")
    other = here.submit("note", note("b"), key="other", ordering_keys=["x"])
    assert same.state is other.state is WriteState.PENDING
    postgres_server.start()
    drained(here)
    assert shop.history() == ["a", "a"]
    found = here.find(same.id)
    assert found is not None and found.state is WriteState.STORED
    assert [(each.id, each.reason) for each in here.quarantine.list()] == [(other.id, "key_reused")]
    here.quarantine.discard(other.id, who="ana", reason="sent twice")
    assert here.verify().holds
    assert elsewhere.verify().holds


def test_a_process_that_starts_in_an_outage_accepts_writes(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    engine = engine_factory(worker=True)
    assert engine.submit("note", note("a")).state is WriteState.PENDING
    assert engine.status().level == "yellow"
    postgres_server.start()
    wait_for(lambda: shop.history() == ["a"])
    wait_for(lambda: engine.status().level == "green")
    assert engine.submit("note", note("b")).state is WriteState.STORED


def test_a_worker_drains_after_the_outage_without_being_asked(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory(worker=True)
    engine.submit("note", note("before"))
    postgres_server.kill()
    for n in range(5):
        engine.submit("note", note(str(n)), ordering_keys=["a"])
    postgres_server.start()
    wait_for(lambda: engine.inspect()[0].unfinished == 0)
    assert shop.history() == ["before", *map(str, range(5))]


def test_a_drain_that_is_asked_for_in_an_outage_says_why_nothing_went(
    engine: Engine, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    engine.submit("note", note("a"))
    done = engine.drain()
    assert (done.processed, done.remaining, done.quarantined) == (0, 1, 0)
    assert done.errors == ["cannot_connect"]


def test_a_server_that_flaps_quarantines_nothing_and_makes_progress(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    values = [str(n) for n in range(60)]
    for value in values:
        engine.submit("note", note(value), ordering_keys=["a"])

    def on_the_way(draining: Future[Drained], before: int) -> bool:
        return draining.done() or engine.inspect()[0].applied > before + 5

    applied = 0
    for _ in range(4):
        postgres_server.start()
        with ThreadPoolExecutor(1) as pool:
            wait_for(partial(on_the_way, pool.submit(engine.drain), applied))
            postgres_server.kill()
        applied = engine.inspect()[0].applied
    assert applied
    postgres_server.start()
    wait_for(lambda: not engine.drain().remaining)
    assert shop.history() == values
    assert engine.inspect()[0].quarantined == 0


def test_a_lost_connection_is_no_outage_when_the_server_is_well(engine: Engine, shop: Shop) -> None:
    engine.submit("note", note("a"))
    shop.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert engine.submit("note", note("b")).state is WriteState.STORED
    shop.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert engine.read(lambda tx: tx.execute("SELECT 1").fetchone()) == (1,)


# -- before anything is sent --------------------------------------------------------------------


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose backlog is full: the handshake itself is never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        others = [socket.socket() for _ in range(4)]
        for each in others:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        yield port
        for each in others:
            each.close()


def pending_in_time(engine: Engine) -> None:
    began = time.monotonic()
    receipt = engine.submit("note", note("a"))
    assert answered_in_time(engine, began)
    assert receipt.state is WriteState.PENDING


@pytest.mark.parametrize("where", ["silent", "full"])
def test_a_connect_that_hangs_is_answered_in_time(
    engine_factory: EngineFactory, request: pytest.FixtureRequest, where: str
) -> None:
    port = request.getfixturevalue(where)
    pending_in_time(engine_factory(conninfo=f"postgresql://u@127.0.0.1:{port}/d", deadline_seconds=0.5))


def test_a_name_that_hangs_is_answered_in_time(
    engine_factory: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def hang(*_, **__):
        let_go.wait(20)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    pending_in_time(engine_factory(conninfo="postgresql://u@db.example/d", deadline_seconds=0.5))
    let_go.set()
    wait_for(lambda: not any(each.name == "robusto-resolve" for each in threading.enumerate()))


def test_a_name_that_does_not_resolve_is_answered_in_time(
    engine_factory: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    pending_in_time(engine_factory(conninfo="postgresql://u@db.example/d"))


def test_the_second_of_several_hosts_is_reached_behind_a_silent_one(
    engine_factory: EngineFactory, shop: Shop, silent: int
) -> None:
    account, _, rest = shop.dsn.rpartition("@")
    host, _, name = rest.partition("/")
    engine = engine_factory(conninfo=f"{account}@127.0.0.1:{silent},{host}/{name}", deadline_seconds=1.0)
    assert engine.submit("note", note("a")).state is WriteState.STORED


def test_an_outage_leaks_no_threads_and_no_descriptors(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory(deadline_seconds=0.3)
    engine.submit("note", note("warm"))
    postgres_server.freeze()
    engine.submit("note", note("first"))
    engine.drain(timeout=0.1)

    def used() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = used()
    for n in range(2):
        engine.submit("note", note(str(n)))
        engine.drain(timeout=0.1)
    wait_for(lambda: used()[0] <= before[0] and used()[1] <= before[1])
    postgres_server.thaw()
    drained(engine)
    assert len(shop.history()) == 4


def test_a_new_password_is_taken_up_without_a_restart(engine_factory: EngineFactory, shop: Shop) -> None:
    shop.run(
        "DO $$ BEGIN IF to_regrole('porter') IS NULL THEN CREATE ROLE porter LOGIN SUPERUSER; END IF; END $$"
    )
    shop.run("ALTER ROLE porter PASSWORD 'new'")
    dsn = shop.dsn.replace(shop.dsn.split("@")[0], "postgresql://porter:old")
    engine = engine_factory(conninfo=dsn)
    assert engine.submit("note", note("a")).state is WriteState.PENDING
    shop.run("ALTER ROLE porter PASSWORD 'old'")
    drained(engine)
    assert shop.history() == ["a"]
    assert psycopg.conninfo.conninfo_to_dict(dsn)["user"] == "porter"


# -- whose turn it is ---------------------------------------------------------------------------


def test_another_process_takes_over_when_the_drainer_is_killed(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory()
    folder = engine.config.folder
    child = spawn("worker", shop.dsn, folder)
    child.line()
    try:
        postgres_server.stop()
        engine.submit("note", note("drained by the child"))
        postgres_server.start()
        wait_for(lambda: shop.history() == ["drained by the child"])
        wait_for(lambda: engine.status().pending == 0)
        assert not engine.drain(timeout=0.1).processed  # the child's turn
        child.kill()
        successor = engine_factory(worker=True)
        postgres_server.stop()
        successor.submit("note", note("drained by the successor"))
        postgres_server.start()
        wait_for(lambda: len(shop.history()) == 2, 8)
        assert engine.verify().holds
    finally:
        child.close()


def test_close_passes_the_turn_on_at_once(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    first = engine_factory(worker=True, lease_seconds=60)
    wait_for(lambda: first.status().database_connected)
    second = engine_factory(worker=True, lease_seconds=60)
    first.close()
    postgres_server.stop()
    second.submit("note", note("a"))
    postgres_server.start()
    wait_for(lambda: shop.history() == ["a"], 10)


def test_two_workers_share_the_turn_and_apply_each_write_once(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engines = [engine_factory(worker=True) for _ in range(3)]
    postgres_server.stop()
    for n in range(60):
        engines[n % 3].submit("note", note(str(n)), ordering_keys=["a"])
    postgres_server.start()
    wait_for(lambda: engines[0].inspect()[0].unfinished == 0)
    assert shop.history() == [str(n) for n in range(60)]


def test_a_drainer_that_slept_beyond_its_lease_is_refused(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    """Stopped in the middle of a pass, it wakes when somebody else has drained long since."""
    engine = engine_factory(lease_seconds=1.0)
    shop.run("INSERT INTO things (id, value) VALUES (1, 'v')")
    child = spawn("worker", shop.dsn, engine.config.folder, "lease_seconds=1.0")
    child.line()
    try:
        postgres_server.stop()
        for n in range(12):
            engine.submit("sql", {"statements": [
                "SELECT pg_sleep(0.06)", f"INSERT INTO history (id, value) VALUES (2, '{n}')",
            ]}, ordering_keys=["a"])  # fmt: skip
        postgres_server.start()
        wait_for(lambda: len(shop.history()) > 3)
        os.kill(child.pid, signal.SIGSTOP)
        while engine._ready().health.check():  # stopped with the journal in its hands: another moment
            os.kill(child.pid, signal.SIGCONT)
            time.sleep(0.05)
            os.kill(child.pid, signal.SIGSTOP)
        wait_for(lambda: not engine.drain(timeout=5).remaining, 60)
        os.kill(child.pid, signal.SIGCONT)
        wait_for(lambda: engine.status().database_connected)
        for n in range(12, 15):
            assert engine.submit("note", note(str(n)), ordering_keys=["a"]).state is not None
        closed_breaker(engine)
        wait_for(lambda: engine.inspect()[0].unfinished == 0)
        assert shop.history() == ["v", *(str(n) for n in range(15))]
        assert engine.verify().holds
    finally:
        child.close()
