"""PostgreSQL and the way to it, fault by fault: a row each, and the same demands on all of them.

While the fault lasts, two things happen: people send writes, and what waited before is drained. Handlers
that are functions and declared statements take turns. In the end I0 is asked for (`Promise.kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from robusto import Engine, WriteState
from tests.support.engine_kit import EngineFactory, Shop
from tests.support.engine_promise import Promise
from tests.support.engine_proxy import Proxy
from tests.support.outages import Outages
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]

STORED, PENDING = WriteState.STORED, WriteState.PENDING


@dataclass(frozen=True)
class Fault:
    """One fault: how it is caused, and what may be answered while it lasts."""

    number: int
    name: str
    cause: Callable[[Outages, Proxy], AbstractContextManager[None]]
    answers: frozenset[WriteState] = frozenset([PENDING])
    proxied: bool = False


def server(number: int, name: str, *answers: WriteState) -> Fault:
    """The server itself is ill, in the way that has this name among the outages."""

    def cause(outages: Outages, _: Proxy) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = getattr(outages, name)()
        return context

    return Fault(number, name, cause, frozenset(answers or [PENDING]))


def way(number: int, name: str, ill: Callable[[Proxy], None], *answers: WriteState) -> Fault:
    """The server is well; the way to it is not."""

    @contextmanager
    def cause(_: Outages, proxy: Proxy) -> Iterator[None]:
        ill(proxy)
        yield
        proxy.drip = 0.0
        proxy.cut()

    return Fault(number, name, cause, frozenset(answers or [PENDING]), proxied=True)


def drip(proxy: Proxy) -> None:
    proxy.cut()
    proxy.drip = 1.0


FAULTS = [
    server(12, "stopped"),
    server(13, "stopped_immediately"),
    server(13, "postmaster_killed", STORED, PENDING),  # a backend may finish what it has in hand
    server(13, "sibling_killed", STORED, PENDING),
    server(14, "starting_up"),
    server(15, "frozen"),
    server(15, "postmaster_frozen", STORED, PENDING),
    server(15, "backends_frozen", STORED, PENDING),
    server(16, "read_only"),
    server(18, "without_its_standby", STORED, PENDING),
    server(19, "full_of_connections"),
    way(22, "every_connection_cut", Proxy.cut, STORED),
    way(23, "half_open", Proxy.mute, STORED, PENDING),
    way(23, "one_byte_a_second", drip),
]


@pytest.fixture
def outages(postgres_server: PostgresServer, shop: Shop) -> Outages:
    return Outages(postgres_server, shop)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number}-{fault.name}")
def test_through_a_fault_every_write_is_answered_truly_and_takes_effect_once_in_order(
    proxy: Proxy, outages: Outages, promise: Promise, engine_factory: EngineFactory, shop: Shop, fault: Fault
) -> None:
    engine = reaching(engine_factory, shop, proxy, fault)
    assert promise.send(engine, "before").accepted is not None  # a connection from better days
    with fault.cause(outages, proxy):
        during = [
            promise.send(engine, f"{n}", kind=("note", "jot")[n % 2], ordering=["a"] if n < 3 else ["b"])
            for n in range(5)
        ]
        states = {each.accepted.state for each in during if each.accepted}
        assert states and states <= fault.answers
        assert None not in promise.states()  # the journal took what PostgreSQL could not
        assert engine.status().level != "green" or states == {STORED}
    promise.kept(engine)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number}-{fault.name}")
def test_a_backlog_that_is_drained_into_a_fault_stays_whole_and_in_order(
    proxy: Proxy, outages: Outages, promise: Promise, engine_factory: EngineFactory, shop: Shop, fault: Fault
) -> None:
    engine = reaching(engine_factory, shop, proxy, fault)
    blind = engine_factory(conninfo="postgresql://u@127.0.0.1:1/d")  # the same journal, and no PostgreSQL
    promise.send(engine, "before")
    for n in range(8):
        promise.send(blind, f"{n}", kind=("note", "jot")[n % 2], ordering=["a"] if n < 5 else ["b"])
    blind.close()
    with fault.cause(outages, proxy):
        for _ in range(3):
            done = engine.drain(timeout=0.2)
            assert done.quarantined == 0
        assert promise.send(engine, "late").accepted is not None  # behind the backlog, or stored
    promise.kept(engine)


def reaching(factory: EngineFactory, shop: Shop, proxy: Proxy, fault: Fault) -> Engine:
    return factory(conninfo=proxy.dsn(shop.dsn) if fault.proxied else shop.dsn, deadline_seconds=0.5)
