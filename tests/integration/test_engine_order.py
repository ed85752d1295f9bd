"""Who waits behind whom, at the desk and in the backlog."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from robusto import Engine, Transaction, WriteState
from robusto.quarantine import NotInQuarantine
from robusto.write import Payload
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, drained, note, put
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]


@contextmanager
def outage(server: PostgresServer) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def forgotten_transaction(shop: Shop, id: int) -> Iterator[None]:
    """Somebody else's transaction that holds a row and was never ended."""
    with shop.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("UPDATE things SET value = 'forgotten' WHERE id = %s", (id,))
        yield


def test_a_write_behind_the_backlog_waits_its_turn(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    with outage(postgres_server):
        engine.submit("bug", note("held"), ordering_keys=["a"])
    closed_breaker(engine)
    behind = engine.submit("note", note("behind"), ordering_keys=["a", "b"])
    assert (behind.state, behind.reason) == (WriteState.PENDING, "behind")
    transitively = engine.submit("note", note("behind that"), ordering_keys=["b"])
    assert transitively.state is WriteState.PENDING
    beside = engine.submit("note", note("beside"), ordering_keys=["c"])
    assert beside.state is WriteState.STORED
    engine.drain()
    assert shop.history() == ["beside"]


def test_a_backlog_goes_through_in_order(engine: Engine, shop: Shop, postgres_server: PostgresServer) -> None:
    values = [str(n) for n in range(250)]  # more than one batch
    with outage(postgres_server):
        for value in values:
            assert engine.submit("note", note(value), ordering_keys=["a"]).state is WriteState.PENDING
    drained(engine)
    assert shop.history() == values
    assert engine.inspect()[0].applied == 250
    assert engine.verify().holds


def test_only_what_shares_a_key_with_a_locked_row_waits(engine: Engine, shop: Shop) -> None:
    engine.submit("put", put(1))
    engine.submit("put", put(2))
    with forgotten_transaction(shop, 1):
        held = engine.submit("set", {"id": 1, "value": "held"}, ordering_keys=["thing:1"])
        assert (held.state, held.reason) == (WriteState.PENDING, "55P03")
        assert engine.status().breaker == "closed"  # a lock is no outage
        behind = engine.submit("set", {"id": 1, "value": "behind"}, ordering_keys=["thing:1"])
        assert behind.reason == "behind"
        beside = engine.submit("set", {"id": 2, "value": "beside"}, ordering_keys=["thing:2"])
        assert beside.state is WriteState.STORED
        assert engine.drain().remaining == 2
    drained(engine)
    assert shop.history() == ["v", "v", "beside", "held", "behind"]


def test_a_locked_row_at_the_head_of_the_backlog_lets_the_rest_through(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine.submit("put", put(1))
    with outage(postgres_server):
        engine.submit("set", {"id": 1, "value": "held"}, ordering_keys=["thing:1"])
        engine.submit("note", note("behind"), ordering_keys=["thing:1"])
        engine.submit("set", {"id": 1, "value": "also held"}, ordering_keys=["another key"])
        engine.submit("note", note("free"), ordering_keys=["thing:2"])
    with forgotten_transaction(shop, 1):
        engine.drain(timeout=10)
        assert shop.history() == ["v", "free"]
        assert engine.inspect()[0].unfinished == 3
    drained(engine)
    assert shop.history() == ["v", "free", "held", "behind", "also held"]


def test_a_write_waits_for_its_parent_and_parks_none_of_its_siblings(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    with outage(postgres_server):
        engine.submit("bug", note("elder"), after=["thing:1"])  # held, and no reason for its siblings to wait
        engine.submit("put", put(1, "parent"), ordering_keys=["thing:1"])
        engine.submit("part", {"id": 1, "thing": 1}, after=["thing:1"])
        engine.submit("part", {"id": 2, "thing": 1}, after=["thing:1"])
    closed_breaker(engine)
    assert shop.history() == ["parent"]
    assert shop.rows("SELECT id FROM parts ORDER BY id") == [(1,), (2,)]
    assert engine.submit("part", {"id": 3, "thing": 1}, after=["thing:1"]).state is WriteState.STORED


def test_a_write_whose_parent_is_pending_waits_behind_it(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    with outage(postgres_server):
        engine.submit("bug", note("a parent that is held"), ordering_keys=["thing:1"])
    closed_breaker(engine)
    child = engine.submit("note", note("child"), ordering_keys=["part:1"], after=["thing:1"])
    assert child.reason == "behind"
    grandchild = engine.submit("note", note("grandchild"), after=["part:1"])
    assert grandchild.reason == "behind"
    assert engine.submit("note", note("stranger"), after=["thing:2"]).state is WriteState.STORED


def test_a_missing_parent_is_waited_for_and_never_refused(engine: Engine, shop: Shop) -> None:
    early = engine.submit("part", {"id": 1, "thing": 7}, after=["thing:7"])
    assert (early.state, early.reason) == (WriteState.PENDING, "23503")
    engine.submit("put", put(7, "parent"), ordering_keys=["thing:7"])
    drained(engine)
    assert shop.rows("SELECT thing FROM parts") == [(7,)]


def test_what_follows_a_quarantined_write_waits_for_the_operator(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    with outage(postgres_server):
        bad = engine.submit("put", put(1, "poison"), ordering_keys=["a"])
        engine.submit("note", note("follower"), ordering_keys=["a"])
        engine.submit("note", note("free"), ordering_keys=["b"])
    closed_breaker(engine)
    assert shop.history() == ["free"]
    assert [each.id for each in engine.quarantine.list()] == [bad.id]
    assert engine.submit("note", note("late follower"), ordering_keys=["a"]).reason == "behind"

    engine.quarantine.discard(bad.id, who="ana", reason="a typo of mine")
    drained(engine)
    assert shop.history() == ["free", "follower", "late follower"]
    found = engine.find(bad.id)
    assert found is not None and found.state is WriteState.DISCARDED
    assert engine.submit("put", put(1, "poison"), key=bad.key).state is WriteState.DISCARDED
    with pytest.raises(NotInQuarantine):
        engine.quarantine.requeue(bad.id, who="ana", reason="again")
    assert engine.verify().holds


def test_a_write_that_is_sent_again_takes_effect_once_and_before_its_followers(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine.submit("put", put(1, code="x"))
    with outage(postgres_server):
        bad = engine.submit("put", put(2, "two", code="x"), key="k", ordering_keys=["a"])
        engine.submit("note", note("follower"), ordering_keys=["a"])
    closed_breaker(engine)
    assert shop.history() == ["v"]
    shop.run("UPDATE things SET code = 'y' WHERE id = 1")
    engine.quarantine.requeue(bad.id, who="ana", reason="the code is free now")
    drained(engine)
    assert shop.history() == ["v", "v", "two", "follower"]
    assert shop.rows("SELECT version, state FROM robusto_ledger WHERE key = %s", bad.id) == [(2, "applied")]
    repeat = engine.submit("put", put(2, "two", code="x"), key="k", ordering_keys=["a"])
    assert (repeat.state, repeat.duplicate) == (WriteState.STORED, True)
    assert engine.verify().holds


def test_a_write_can_be_refused_and_sent_again_more_than_once(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine.submit("put", put(1, code="x"))
    with outage(postgres_server):
        bad = engine.submit("put", put(2, "two", code="x"))
    closed_breaker(engine)
    for _ in range(3):
        engine.quarantine.requeue(bad.id, who="ana", reason="once more")
        engine.drain()
        assert [each.id for each in engine.quarantine.list()] == [bad.id]
    shop.run("DELETE FROM things WHERE id = 1")
    engine.quarantine.requeue(bad.id, who="ana", reason="it is gone")
    drained(engine)
    assert shop.rows("SELECT version, state FROM robusto_ledger WHERE key = %s", bad.id) == [(5, "applied")]
    assert shop.history().count("two") == 1


def test_an_operator_gives_a_reason(engine: Engine, postgres_server: PostgresServer) -> None:
    with outage(postgres_server):
        bad = engine.submit("put", put(1, "poison"))
    closed_breaker(engine)
    for act in (engine.quarantine.discard, engine.quarantine.requeue):
        with pytest.raises(ValueError):
            act(bad.id, who="ana", reason="  ")
    assert engine.inspect()[0].quarantined == 1


def test_the_backlog_of_another_process_is_seen_at_once(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    one, other = engine_factory(), engine_factory()
    other.submit("note", note("first"), ordering_keys=["a"])
    with outage(postgres_server):
        one.submit("bug", note("held"), ordering_keys=["a"])
    closed_breaker(one)
    assert other.submit("note", note("behind"), ordering_keys=["a"]).reason == "behind"
    assert shop.history() == ["first"]


def test_a_pending_repeat_is_recognised_and_joins_no_queue(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    with outage(postgres_server):
        first = engine.submit("note", note("a"), key="k")
        again = engine.submit("note", note("a"), key="k")
    assert (again.state, again.duplicate, again.id) == (WriteState.PENDING, True, first.id)
    drained(engine)
    last = engine.submit("note", note("a"), key="k")
    assert (last.state, last.duplicate) == (WriteState.STORED, True)
    assert shop.history() == ["a"]


def test_parking_is_transitive(engine: Engine, shop: Shop, postgres_server: PostgresServer) -> None:
    with outage(postgres_server):
        engine.submit("bug", note("held"), ordering_keys=["a"])
        engine.submit("note", note("behind it"), ordering_keys=["a", "b"])
        engine.submit("note", note("behind that"), ordering_keys=["b", "c"])
        engine.submit("note", note("and behind that"), ordering_keys=["c"])
    closed_breaker(engine)
    assert engine.drain().remaining == 4
    assert shop.history() == []


def test_two_writes_that_share_a_key_are_never_on_their_way_at_once(
    engine_factory: EngineFactory, shop: Shop
) -> None:
    engine, other = engine_factory(), engine_factory(deadline_seconds=0.5)
    begun, go_on = threading.Event(), threading.Event()

    @engine.handler("slow")
    def slow(tx: Transaction, payload: Payload) -> None:
        begun.set()
        go_on.wait(10)
        tx.execute("INSERT INTO history (id, value) VALUES (1, 'slow')")

    sender = threading.Thread(target=engine.submit, args=("slow", {}), kwargs={"ordering_keys": ["a"]})
    sender.start()
    try:
        assert begun.wait(10)
        behind = other.submit("note", note("behind"), ordering_keys=["a"])
        beside = other.submit("note", note("beside"), ordering_keys=["b"])
    finally:
        go_on.set()
        sender.join()
    assert (behind.state, behind.reason) == (WriteState.PENDING, "busy")
    assert beside.state is WriteState.STORED
