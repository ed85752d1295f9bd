"""Servers that answer and yet are not to be trusted: settings, names, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from robusto import Engine, WriteState
from tests.support import dead_dns
from tests.support.engine_kit import EngineFactory, Shop, drained, wait_for
from tests.support.engine_promise import Promise
from tests.support.postgres_server import PostgresServer
from tests.support.tls_front import Authority, TlsFront

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


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["dead", "silent"])
def test_a_name_server_that_does_not_answer_costs_one_deadline_and_loses_nothing(
    engine_factory: EngineFactory, shop: Shop, folder: Path, how: str
) -> None:
    if not dead_dns.allowed():
        pytest.skip("NOT TESTED: a dead name server needs user namespaces")
    state, seconds = dead_dns.submit_without_dns(folder, how)
    assert state == "pending"
    assert seconds < 0.5 + 4
    engine = engine_factory()
    drained(engine)
    assert shop.history() == [how]
    assert engine.verify().findings == []


# -- certificates --------------------------------------------------------------------------------


@pytest.fixture
def front(postgres_server: PostgresServer) -> Iterator[TlsFront]:
    with TlsFront(postgres_server.port) as front:
        yield front


def encrypted(shop: Shop, front: TlsFront, mode: str, authority: Authority) -> str:
    place = shop.dsn.rpartition("@")
    address = f"{place[0]}@127.0.0.1:{front.port}/{place[2].partition('/')[2]}"
    return f"{address}?sslmode={mode}&sslrootcert={authority.root}&gssencmode=disable"


@pytest.mark.parametrize("mode", ["verify-full", "require"])
@pytest.mark.parametrize("flaw", ["expired", "of another authority", "for another host", "missing"])
def test_a_server_with_a_bad_certificate_is_an_alarm_and_hears_nothing_in_plain_text(
    front: TlsFront,
    promise: Promise,
    engine_factory: EngineFactory,
    shop: Shop,
    tmp_path: Path,
    flaw: str,
    mode: str,
) -> None:
    trusted, stranger = Authority(tmp_path, "trusted"), Authority(tmp_path, "stranger")
    front.context = trusted.issue()
    engine = engine_factory(conninfo=encrypted(shop, front, mode, trusted))
    said = promise.send(engine, "with a good certificate")
    assert said.accepted is not None and said.accepted.state is WriteState.STORED
    engine.close()  # whoever is connected stays so: certificates are looked at by who comes
    front.context = {
        "expired": lambda: trusted.issue(-timedelta(days=1)),
        "of another authority": stranger.issue,
        "for another host": lambda: trusted.issue(name="192.0.2.7"),
        "missing": lambda: None,
    }[flaw]()
    engine.open(worker=False)
    said = promise.send(engine, "pending")
    if (mode, flaw) == ("require", "for another host"):  # it checks the authority where it is given one
        assert said.accepted is not None and said.accepted.state is WriteState.STORED
    else:
        assert said.accepted is not None and said.accepted.state is WriteState.PENDING
        engine.drain()
        assert (engine.status().level, engine.status().cause) == ("red", "tls")
    assert front.plain == b""
    front.context = trusted.issue()
    promise.kept(engine)
