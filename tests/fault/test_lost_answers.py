"""The answer that never came: cut, reset, frozen, doubted, or late by minutes. Exactly one effect."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from robusto import Engine, WriteState
from tests.support.engine_kit import EngineFactory, Shop, wait_for
from tests.support.engine_promise import Promise
from tests.support.engine_proxy import Loss, Proxy
from tests.support.outages import Outages
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]

KINDS = ["note", "jot"]
#: What one attempt says to the server, in its order.
STEPS = [b"BEGIN", b"INSERT INTO robusto_ledger", b"INSERT INTO history", b"COMMIT"]


@pytest.fixture
def engine(proxy: Proxy, promise: Promise, engine_factory: EngineFactory, shop: Shop) -> Engine:
    """Reaches PostgreSQL through the proxy only."""
    engine = engine_factory(conninfo=proxy.dsn(shop.dsn), deadline_seconds=0.6)
    promise.send(engine, "before")
    return engine


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", Loss, ids=lambda loss: loss.name)
def test_a_lost_commit_has_one_effect(
    engine: Engine, proxy: Proxy, promise: Promise, loss: Loss, kind: str
) -> None:
    proxy.lose(loss)
    said = promise.send(engine, "lost", kind=kind)
    assert proxy.lost == 1
    assert said.accepted is not None and not said.accepted.duplicate
    promise.send(engine, "next", kind=kind)
    proxy.cut()
    promise.kept(engine)


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
def test_wherever_a_connection_is_cut_there_is_one_effect(
    engine: Engine, proxy: Proxy, promise: Promise, hard: bool
) -> None:
    """Connecting, logging in, preparing, the four steps, their answers: every piece in turn is the last."""
    for pieces in range(1, 31):
        if pieces % 2:
            proxy.cut()  # every second time from the very beginning, with a new connection
        proxy.cut_after(pieces, hard=hard)
        assert promise.send(engine, f"cut at {pieces}", kind=KINDS[pieces % 2]).accepted is not None
        engine.drain()
    assert proxy.lost > 20
    promise.kept(engine)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.decode().split()[-1])
@pytest.mark.parametrize("frozen", [False, True], ids=["on the way", "in a frozen backend"])
def test_what_arrives_after_the_retry_and_after_the_drain_has_no_second_effect(
    engine: Engine, proxy: Proxy, promise: Promise, shop: Shop, step: bytes, frozen: bool
) -> None:
    proxy.catch(step)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(promise.send, engine, "late")
        assert proxy.caught.wait(10)
        pids = backends(shop)
        if frozen:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            proxy.let_go()  # it lies in the frozen backend's socket
        said = sending.result(20)
    assert said.accepted is not None and said.accepted.state is WriteState.PENDING
    for _ in range(2):
        engine.drain()  # applies it, or finds the first attempt's locks in its way
    promise.send(engine, "late")  # and its sender tries again, too
    proxy.let_go()
    for pid in pids if frozen else []:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: not set(pids) & set(backends(shop)))
    proxy.cut()
    promise.kept(engine)


def backends(shop: Shop) -> list[int]:
    """The engine's sessions in this database."""
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'robusto'"
    )
    return [pid for (pid,) in shop.rows(sql)]


# -- COMMIT waits for a synchronous standby ----------------------------------------------------------


def terminate(shop: Shop, proxy: Proxy) -> None:
    shop.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")


def cancel(shop: Shop, proxy: Proxy) -> None:
    shop.rows("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")


def cut(shop: Shop, proxy: Proxy) -> None:
    proxy.cut()


@pytest.mark.parametrize("end", [terminate, cancel, cut])
def test_a_commit_that_ends_while_it_waits_for_its_standby_has_one_effect(
    engine: Engine, proxy: Proxy, promise: Promise, shop: Shop, postgres_server: PostgresServer, end
) -> None:
    """It stands in this server's log already; only whether the standby has it is open."""
    with Outages(postgres_server, shop).without_its_standby(), ThreadPoolExecutor(1) as pool:
        sending = pool.submit(promise.send, engine, "waits")
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'robusto'"
        wait_for(lambda: shop.rows(waits))
        end(shop, proxy)
        assert sending.result(20).accepted is not None
    promise.kept(engine)


# -- the server itself does not know -----------------------------------------------------------------

_DOUBT = """
CREATE SEQUENCE doubts;
CREATE FUNCTION doubt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('doubts') <= {times} THEN RAISE EXCEPTION 'nobody knows' USING ERRCODE = '{code}'; END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER doubt AFTER INSERT ON history DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION doubt();
"""


@pytest.mark.parametrize("times", [1, 5], ids=["once", "again and again"])
@pytest.mark.parametrize("code", ["40003", "08007", "40001", "57P01"])
def test_a_commit_that_is_answered_with_doubt_has_one_effect(
    engine: Engine, promise: Promise, shop: Shop, code: str, times: int
) -> None:
    shop.run(_DOUBT.format(code=code, times=times))
    for n in range(3):
        assert promise.send(engine, str(n), kind=KINDS[n % 2]).accepted is not None
    promise.kept(engine)
