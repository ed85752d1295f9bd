"""A gunicorn that is ended, and clients that hang up (faults 3 and 6)."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from robusto import WriteState
from tests.support.engine_kit import EngineFactory, Shop, note, wait_for
from tests.support.engine_promise import Promise
from tests.support.postgres_server import PostgresServer
from tests.support.served_engine import ServedEngine

pytest_plugins = ["tests.support.engine_fixtures"]

THREADS = ["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "10"]


def test_a_client_that_hangs_up_and_sends_again_gets_the_first_result(
    promise: Promise, engine_factory: EngineFactory, shop: Shop, folder: Path
) -> None:
    with ServedEngine(shop.dsn, folder, "--workers", "2", *THREADS) as served:
        for n in range(10):
            served.submit_and_hang_up("note", note(f"v{n}"), f"v{n}")
        wait_for(lambda: len(shop.history()) == 10)
        for n in range(10):
            said = promise.send(served, f"v{n}", ordering=[])
            assert said.accepted is not None
            assert (said.accepted.state, said.accepted.duplicate) == (WriteState.STORED, True)
    promise.kept(engine_factory())


def test_a_sigterm_lets_the_write_in_hand_end(
    promise: Promise, engine_factory: EngineFactory, shop: Shop, folder: Path, postgres_server: PostgresServer
) -> None:
    with ServedEngine(shop.dsn, folder, "--workers", "1", *THREADS) as served:
        promise.send(served, "before")
        postgres_server.freeze()
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(promise.send, served, "in hand")
            with pytest.raises(TimeoutError):
                sending.result(0.3)  # it waits for PostgreSQL
            os.kill(served.process.pid, signal.SIGTERM)
            said = sending.result(20)
        assert said.accepted is not None and said.accepted.state is WriteState.PENDING
        served.process.wait(20)
    postgres_server.thaw()
    promise.kept(engine_factory())
