"""Fixtures of the engine's tests: `pytest_plugins = ["tests.support.engine_fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robusto import Engine
from tests.support.engine_kit import EngineFactory, Shop, engine_at
from tests.support.engine_proxy import Proxy
from tests.support.postgres_server import PostgresServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal is going to be."""
    return tmp_path / "journal"


@pytest.fixture
def shop(database: str) -> Shop:
    """The business tables in a database of the test's own."""
    return Shop(database)


@pytest.fixture
def engine_factory(shop: Shop, folder: Path) -> Iterator[EngineFactory]:
    """Without a worker unless one is asked for: then a pass is made where `drain` is called."""
    engines: list[Engine] = []

    def make(*, worker: bool = False, **settings: Any) -> Engine:
        values: dict[str, Any] = {"conninfo": shop.dsn, "folder": folder} | settings
        engine = engine_at(values.pop("conninfo"), values.pop("folder"), **values)
        engines.append(engine)
        return engine.open(worker=worker)

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(engine_factory: EngineFactory) -> Engine:
    """One open engine without a worker."""
    return engine_factory()


@pytest.fixture
def proxy(shop: Shop, postgres_server: PostgresServer) -> Iterator[Proxy]:
    """A proxy in front of the server."""
    with Proxy(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy: Proxy, shop: Shop, engine_factory: EngineFactory) -> Engine:
    """One open engine that reaches PostgreSQL through the proxy only."""
    return engine_factory(conninfo=proxy.dsn(shop.dsn))
