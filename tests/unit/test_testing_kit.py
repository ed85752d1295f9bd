"""What users of the engine get for their own tests: `robusto.testing`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from robusto import Config, Engine, WriteRejected, WriteState
from robusto.testing import FakeClock, FakeServer, Loss, Session, SqlError
from robusto.testing.values import Params
from tests.support.engine_kit import KEY


def business(session: Session, sql: str, params: Params) -> int:
    """A shop with one rule."""
    assert isinstance(params, dict)
    if params["value"] == "poison":
        raise SqlError("23514", "no_poison")
    return 1


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> FakeServer:
    return FakeServer(business, clock)


@pytest.fixture
def engine(server: FakeServer, clock: FakeClock, tmp_path: Path) -> Iterator[Engine]:
    config = Config(conninfo="", journal_path=tmp_path / "journal", encryption_key=KEY)
    engine = Engine(config, clock=clock, connect=server.connect)
    engine.statement("note", "INSERT INTO notes VALUES (%(value)s)")
    with engine.open(worker=False):
        yield engine


def values(server: FakeServer) -> list[str]:
    return [effect.params["value"] for effect in server.effects if isinstance(effect.params, dict)]


def drained(engine: Engine, clock: FakeClock) -> None:
    for _ in range(50):
        clock.sleep(1)
        if engine.drain().remaining == 0 and engine.status().database_connected:
            return
    raise AssertionError("it was not drained")


def test_an_outage_is_two_switches(engine: Engine, server: FakeServer, clock: FakeClock) -> None:
    assert engine.submit("note", {"value": "1"}).state is WriteState.STORED
    server.stop()
    assert engine.submit("note", {"value": "2"}).state is WriteState.PENDING
    server.start()
    drained(engine, clock)
    assert values(server) == ["1", "2"]


def test_a_refusal_of_the_business_reaches_the_caller(engine: Engine, server: FakeServer) -> None:
    with pytest.raises(WriteRejected) as refused:
        engine.submit("note", {"value": "poison"})
    assert (refused.value.reason, refused.value.constraint) == ("23514", "no_poison")
    assert values(server) == []


@pytest.mark.parametrize("arrives", [True, False])
def test_a_commit_that_comes_late_is_settled_once(
    engine: Engine, server: FakeServer, clock: FakeClock, arrives: bool
) -> None:
    server.lose(Loss.LATE)
    assert engine.submit("note", {"value": "1"}).state is WriteState.PENDING
    assert values(server) == []
    server.settle(take_effect=arrives)
    assert values(server) == (["1"] if arrives else [])
    drained(engine, clock)
    assert values(server) == ["1"]


def test_a_server_that_was_set_back_gets_everything_again(
    engine: Engine, server: FakeServer, clock: FakeClock
) -> None:
    engine.submit("note", {"value": "1"})
    backup = server.backup()
    engine.submit("note", {"value": "2"})
    server.restore(backup)
    server.start()
    assert values(server) == ["1"]
    drained(engine, clock)
    assert values(server) == ["1", "2"]


def test_a_frozen_server_costs_the_deadline_and_no_real_time(
    engine: Engine, server: FakeServer, clock: FakeClock
) -> None:
    server.freeze()
    before = clock.monotonic()
    assert engine.submit("note", {"value": "1"}).state is WriteState.PENDING
    assert 2 <= clock.monotonic() - before < 4


def test_a_refused_login_and_a_failing_statement_can_be_ordered(
    engine: Engine, server: FakeServer, clock: FakeClock
) -> None:
    server.refuse_logins("28P01")
    assert engine.submit("note", {"value": "1"}).state is WriteState.PENDING
    server.refuse_logins(None)
    drained(engine, clock)
    server.fail("55P03")
    receipt = engine.submit("note", {"value": "2"})
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, "55P03")


def test_the_wall_clock_jumps_and_deadlines_do_not_notice() -> None:
    clock = FakeClock()
    wall, monotonic = clock.wall(), clock.monotonic()
    clock.jump(-3600)
    assert (clock.wall() - wall).total_seconds() == -3600
    assert clock.monotonic() == monotonic


def test_the_kit_needs_no_test_framework() -> None:
    asked = "import sys, robusto.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
