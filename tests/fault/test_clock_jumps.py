"""The wall clock jumps, either way: order, deadlines and waiting do not follow it (fault 37)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from robusto import Engine
from tests.support.engine_kit import EngineFactory, JumpingClock, Shop, drained, wait_for
from tests.support.engine_promise import Promise

pytest_plugins = ["tests.support.engine_fixtures"]

NOWHERE = "postgresql://u@127.0.0.1:1/d"
YEAR = timedelta(days=365)


@pytest.fixture
def clock(promise: Promise) -> JumpingClock:
    return JumpingClock()


def test_order_is_kept_whatever_the_clock_says_in_between(
    promise: Promise, engine_factory: EngineFactory, clock: JumpingClock
) -> None:
    blind, engine = engine_factory(conninfo=NOWHERE, clock=clock), engine_factory(clock=clock)
    promise.send(engine, "before")
    for n, years in enumerate([0, 3, -3, 10, -20, 0]):
        clock.wrong = years * YEAR
        promise.send(blind, f"pending {n}", kind=("note", "jot")[n % 2])
        engine.drain()
        promise.send(engine, f"after it {n}")
    accepted = [said.accepted for said in promise.said.values()]
    assert None not in accepted
    blind.close()
    clock.wrong = timedelta()
    promise.kept(engine)


def test_a_clock_that_is_set_back_keeps_nothing_waiting_for_it(
    promise: Promise, engine_factory: EngineFactory, clock: JumpingClock, shop: Shop
) -> None:
    shop.run("INSERT INTO things (id, value) VALUES (1, 'was there')")
    shop.run("DELETE FROM history")
    blind = engine_factory(conninfo=NOWHERE)
    promise.send(blind, "held", kind="set", payload={"id": 1, "value": "held"})
    promise.send(blind, "behind")
    blind.close()
    engine = engine_factory(clock=clock, worker=True, deadline_seconds=0.5)
    clock.wrong = YEAR
    with shop.connect() as forgotten:
        forgotten.execute("BEGIN")
        forgotten.execute("SELECT 1 FROM things WHERE id = 1 FOR UPDATE")
        wait_for(lambda: engine.inspect()[0].held)
        clock.wrong = timedelta()
    wait_for(lambda: engine.inspect()[0].unfinished == 0)  # nobody asks for it
    promise.kept(engine)


@pytest.mark.parametrize("wrong", [10 * YEAR, -10 * YEAR], ids=["ten years ahead", "ten years behind"])
def test_a_wrong_clock_forgets_nothing_and_knows_that_it_looked(
    promise: Promise, engine_factory: EngineFactory, clock: JumpingClock, wrong: timedelta
) -> None:
    """72 hours by a clock that PostgreSQL's does not agree with are not 72 hours."""
    blind = engine_factory(conninfo=NOWHERE)
    for n in range(3):
        promise.send(blind, str(n))
    blind.close()
    first = engine_factory()
    drained(first)
    first.close()
    clock.wrong = wrong
    engine: Engine = engine_factory(clock=clock, worker=True)
    engine.drain()
    wait_for(lambda: engine.status().level == "green")
    engine._ready().prune()
    counts = engine.inspect()[0]
    assert (counts.applied, counts.pruned) == (3, 0)
    promise.kept(engine)
