"""Servers that answer and yet are not to be trusted: settings, names, certificates."""

from __future__ import annotations

import pytest

from robusto import Engine
from tests.support.engine_kit import EngineFactory, Shop, wait_for
from tests.support.engine_promise import Promise

pytest_plugins = ["tests.support.engine_fixtures"]


def reload(shop: Shop, statement: str) -> None:
    shop.run(statement)
    shop.run("SELECT pg_reload_conf()")


def test_a_server_that_does_not_flush_is_used_and_never_green(
    promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    reload(shop, "ALTER SYSTEM SET fsync = off")
    try:
        engine: Engine = engine_factory(worker=True)
        seen = set()

        def looked() -> bool:
            seen.add(engine.status().level)
            return engine.status().code == "not_flushed"

        wait_for(looked)
        for n in range(5):
            promise.send(engine, str(n))
            seen.add(engine.status().level)
        wait_for(lambda: engine.status().database_connected)
        assert "green" not in seen
        status = engine.status()
        assert (status.level, status.code, status.cause) == ("red", "not_flushed", "not_flushed")
    finally:
        reload(shop, "ALTER SYSTEM RESET fsync")
    wait_for(lambda: engine.status().level == "green")
    promise.kept(engine)
    assert {each.accepted is not None for each in promise.said.values()} == {True}


@pytest.mark.parametrize("whose", ["DATABASE {}", "ROLE postgres", "ROLE postgres IN DATABASE {}"])
def test_whoever_set_it_a_commit_is_synchronous(
    engine_factory: EngineFactory, shop: Shop, whose: str
) -> None:
    name = shop.rows("SELECT current_database()")[0][0]
    target = whose.format(f'"{name}"')
    shop.run(f"ALTER {target} SET synchronous_commit = off")
    try:
        show = "INSERT INTO history (id, value) SELECT 1, current_setting('synchronous_commit')"
        engine_factory().submit("sql", {"statements": [show]})
        assert shop.rows("SHOW synchronous_commit") == [("off",)]  # of any session but ours
        assert shop.history() == ["on"]
    finally:
        shop.run(f"ALTER {target} RESET synchronous_commit")
