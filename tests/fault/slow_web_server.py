"""What gunicorn does to its workers: it kills, recycles and forks them (6 to 8); for `make faults`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from robusto import NotAccepted
from tests.support.engine_kit import EngineFactory, Shop, wait_for
from tests.support.engine_promise import Promise
from tests.support.postgres_server import PostgresServer
from tests.support.served_engine import ServedEngine

pytest_plugins = ["tests.support.engine_fixtures"]

THREADS = ["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "10"]


def test_a_worker_that_is_killed_for_its_slowness_leaves_a_write_that_can_be_sent_again(
    promise: Promise, engine_factory: EngineFactory, shop: Shop, folder: Path, postgres_server: PostgresServer
) -> None:
    patience = ["--worker-class", "sync", "--timeout", "1"]  # shorter than the deadline: wrongly configured
    with ServedEngine(shop.dsn, folder, "--workers", "1", *patience, deadline=6.0) as served:
        promise.send(served, "before")
        victim = served.pid()
        postgres_server.freeze()
        said = promise.send(served, "in hand")
        assert isinstance(said.answer, NotAccepted) and said.answer.maybe_applied
        postgres_server.thaw()
        wait_for(lambda: served.pid() not in (None, victim), 30)
        again = promise.send(served, "in hand")
        assert again.accepted is not None
    promise.kept(engine_factory())


def test_workers_that_are_recycled_in_the_middle_of_a_drain_pass_it_on(
    promise: Promise, engine_factory: EngineFactory, shop: Shop, folder: Path
) -> None:
    blind = engine_factory(conninfo="postgresql://u@127.0.0.1:1/d")
    for n in range(100):
        promise.send(blind, f"backlog {n}", kind=("note", "jot")[n % 2], ordering=["a"])
    blind.close()
    pids = set()
    with ServedEngine(shop.dsn, folder, "--workers", "2", *THREADS, "--max-requests", "20") as served:
        for n in range(50):
            promise.send(served, f"late {n}", ordering=["a"] if n % 4 else ["b"])
            pids.add(served.pid())
        wait_for(lambda: len(shop.history()) == len(promise.said), 30)
    assert len(pids) > 2
    assert None not in promise.states()
    promise.kept(engine_factory())


def test_workers_forked_from_a_master_that_has_the_engine_open_share_nothing(
    promise: Promise, engine_factory: EngineFactory, shop: Shop, folder: Path, postgres_server: PostgresServer
) -> None:
    with ServedEngine(shop.dsn, folder, "--workers", "4", *THREADS, "--preload") as served:

        def hammer(who: int) -> None:
            for n in range(25):
                promise.send(served, f"{who}.{n}", ordering=[str(who)])

        with ThreadPoolExecutor(8) as pool:
            hammering = [pool.submit(hammer, who) for who in range(8)]
            wait_for(lambda: len(promise.said) > 60)
            postgres_server.kill()
            postgres_server.start()
            for each in hammering:
                each.result(60)
    assert len(promise.said) == 200 and None not in promise.states()
    promise.kept(engine_factory())
