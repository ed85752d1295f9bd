"""Several drainers at once, with nothing between them but the token in PostgreSQL (fault 10)."""

from __future__ import annotations

import itertools
import random
import threading
import time

import pytest

from robusto import Engine
from robusto.lease import Lease
from tests.support.engine_kit import EngineFactory
from tests.support.engine_promise import Promise

pytest_plugins = ["tests.support.engine_fixtures"]


def test_four_drainers_at_once_without_their_lock_apply_each_write_once_and_in_order(
    promise: Promise, engine_factory: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = engine_factory(conninfo="postgresql://u@127.0.0.1:1/d")
    for n in range(60):
        promise.send(blind, str(n), kind=("note", "jot")[n % 2], ordering=["a"] if n % 3 else ["b"])
    blind.close()
    turns = itertools.count()

    def acquire(self: Lease) -> bool:
        """Everybody always has the turn; a token that was refused is replaced by a newer one."""
        if self.token is None:
            time.sleep(random.uniform(0, 0.1))  # else they would do nothing but take it from each other
            next(turns)
            self.token = self._journal.take_token()
        return True

    monkeypatch.setattr(Lease, "acquire", acquire)
    monkeypatch.setattr(Lease, "renew", lambda self: self.token is not None)
    monkeypatch.setattr(Lease, "release", lambda self: setattr(self, "token", None))
    engines = [engine_factory() for _ in range(4)]

    def drain(engine: Engine) -> None:
        while engine.inspect()[0].unfinished and not stop.is_set():
            engine._ready().worker.turn(house=False)

    stop = threading.Event()
    threads = [threading.Thread(target=drain, args=(engine,)) for engine in engines]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    stop.set()
    for each in threads:
        each.join()
    assert next(turns) > 4, "they never got into each other's way"
    monkeypatch.undo()
    for engine in engines[1:]:
        engine.close()
    promise.kept(engines[0])


def test_what_is_accepted_during_a_drain_is_not_lost_by_it(
    promise: Promise, engine_factory: EngineFactory
) -> None:
    blind = engine_factory(conninfo="postgresql://u@127.0.0.1:1/d")
    for n in range(60):
        promise.send(blind, f"backlog {n}", ordering=["a"])
    engine = engine_factory(worker=True)  # it drains from now on
    for n in range(60):
        promise.send((engine, blind)[n % 2], f"late {n}", ordering=["a"] if n % 3 else ["b"])
    blind.close()
    promise.kept(engine)
