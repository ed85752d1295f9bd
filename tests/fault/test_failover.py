"""Several hosts in one address, and the one that takes writes is another one now (fault 16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from robusto import WriteState
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, wait_for
from tests.support.engine_promise import Promise
from tests.support.failover import Pair

pytest_plugins = ["tests.support.engine_fixtures"]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


@pytest.fixture
def shop(pair: Pair) -> Shop:
    """The business is on the pair, and not on the session's server."""
    return Shop(pair.first.url)


def test_after_a_failover_everything_goes_to_the_promoted_standby_once_and_in_order(
    pair: Pair, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    engine = engine_factory(conninfo=pair.dsn)
    for n in range(3):
        assert promise.send(engine, f"on the first {n}").accepted is not None
    pair.first.stop_now(fast_seconds=0, immediate_seconds=0)
    shop.dsn = pair.second.url
    for n in range(3):
        assert promise.send(engine, f"between {n}").accepted is not None
    assert engine.drain().quarantined == 0  # the standby reads, and takes no writes yet
    assert WriteState.PENDING in promise.states()
    pair.promote()
    closed_breaker(engine)
    said = promise.send(engine, "on the second")
    assert said.accepted is not None and said.accepted.state is WriteState.STORED
    promise.kept(engine)


def test_a_connection_to_a_demoted_primary_is_dropped_and_the_hosts_are_looked_up_again(
    pair: Pair, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    engine = engine_factory(conninfo=pair.dsn)
    promise.send(engine, "before")
    pair.demote()
    pair.promote()
    shop.dsn = pair.second.url
    for n in range(3):
        assert promise.send(engine, str(n)).accepted is not None
    closed_breaker(engine)
    assert promise.send(engine, "stored").accepted is not None
    assert shop.history()[-1] == "stored"
    promise.kept(engine)


def test_a_host_that_is_a_standby_now_is_passed_over(
    pair: Pair, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    """It stands first in the address, answers, and would refuse every write."""
    engine = engine_factory(conninfo=pair.dsn, worker=True)
    promise.send(engine, "before")
    pair.first.stop()
    promise.send(engine, "between")
    pair.promote()
    pair.follow()
    shop.dsn = pair.second.url
    wait_for(lambda: engine.status().database_connected)
    said = promise.send(engine, "after")
    assert said.accepted is not None and said.accepted.state is WriteState.STORED
    promise.kept(engine)
