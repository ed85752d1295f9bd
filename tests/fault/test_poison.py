"""What never goes, what cannot go now, and what was changed under the backlog's feet (20, 38 to 43, 62)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from robusto import Engine, WriteState
from robusto.handlers import Transaction
from robusto.journal.entry import Entry, EntryState
from robusto.write import Payload
from tests.support.engine_kit import (
    EngineFactory,
    JumpingClock,
    Shop,
    closed_breaker,
    drained,
    engine_at,
    wait_for,
)
from tests.support.engine_promise import Promise
from tests.support.outages import small_disk

pytest_plugins = ["tests.support.engine_fixtures"]

NOWHERE = "postgresql://u@127.0.0.1:1/d"


@pytest.fixture
def blind(promise: Promise, engine_factory: EngineFactory) -> Engine:
    """An engine on the same journal that never reaches PostgreSQL."""
    return engine_factory(conninfo=NOWHERE)


def things(value: str, id: int) -> dict[str, object]:
    return {"id": id, "value": value, "code": None}


def with_nul(tx: Transaction, payload: Payload) -> None:
    tx.execute("INSERT INTO history (id, value) VALUES (1, %s)", (payload["value"] + "\x00",))


def test_poison_at_the_head_is_set_aside_with_one_notice_and_the_rest_flows(
    blind: Engine, promise: Promise, engine_factory: EngineFactory
) -> None:
    promise.send(blind, "poison", kind="put", payload=things("poison", 1), ordering=["a"])
    promise.send(blind, "nul", kind="with nul", ordering=["b"])
    for n in range(4):
        promise.send(blind, str(n), kind=("note", "jot")[n % 2], ordering=["c"])
    blind.close()
    engine = engine_factory()
    engine.handler("with nul")(with_nul)
    notices = []
    engine.close()
    engine.listen(lambda event: notices.append(event.name))
    engine.open(worker=False)
    promise.kept(engine, quarantined=["poison", "nul"])
    assert notices.count("write_quarantined") == 2


def test_a_storm_of_refusals_pauses_its_kind_instead_of_setting_everything_aside(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    """A rule that a migration brought refuses everything: a person mends it once, not fifty times."""
    for n in range(50):
        promise.send(blind, f"v{n}", kind="put", payload=things(f"v{n}", n), ordering=[])
    promise.send(blind, "other", kind="note", ordering=[])
    blind.close()
    shop.run("ALTER TABLE things ADD CONSTRAINT odd CHECK (value = 'odd')")
    engine = engine_factory(worker=True)
    wait_for(lambda: engine.status().code == "held" and shop.history() == ["other"])
    assert engine.inspect()[0].quarantined == 20
    assert engine.status().level == "red" and "storm:23514" in engine.status().reason
    tried = held(engine).not_before
    engine.close()
    later = JumpingClock()
    later.wrong = timedelta(seconds=10)  # its next time has come
    successor = engine_factory(worker=True, clock=later)
    wait_for(lambda: held(successor).not_before > tried)
    assert successor.inspect()[0].quarantined == 20  # it has counted nothing, and knows all the same
    shop.run("ALTER TABLE things DROP CONSTRAINT odd")
    aside = [each.id for each in successor.quarantine.list()]
    for id in aside:
        successor.quarantine.requeue(id, who="ana", reason="the rule is gone")
    promise.kept(successor)


def held(engine: Engine) -> Entry:
    """The one entry that was set aside for all of its kind."""
    (entry,) = (each for each in engine.inspect()[1] if each.state is EntryState.HELD)
    return entry


def test_whoever_asks_for_a_pass_after_a_storm_sets_the_next_ones_aside(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    """These are refused for good: a person who has looked says go on, and only then they do."""
    values = [f"v{n}" for n in range(30)]
    for n, value in enumerate(values):
        promise.send(blind, value, kind="put", payload=things("poison", n), ordering=[])
    blind.close()
    engine = engine_factory()
    assert engine.drain().quarantined == 20
    assert engine.inspect()[0].held == 1
    promise.kept(engine, quarantined=values)


def test_a_column_that_was_dropped_meanwhile_pauses_its_kind_and_is_red(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    for n in range(3):
        promise.send(blind, f"v{n}", kind="put", payload=things(f"v{n}", n), ordering=["a"])
    promise.send(blind, "other", ordering=["b"])
    blind.close()
    shop.run("ALTER TABLE things DROP COLUMN code")
    engine = engine_factory()
    closed_breaker(engine)
    assert shop.history() == ["other"]
    assert (engine.status().level, engine.status().cause) == ("red", "42703")
    engine.close()
    # The release that goes with the new table takes the old writes over.
    upcast = engine_at(shop.dsn, engine.config.folder)
    upcast._handlers._by_kind.pop("put")
    upcast.statement("put", "INSERT INTO things (id, value) VALUES (%(id)s, %(value)s)")
    promise.kept(upcast.open(worker=False))


def test_a_kind_that_was_renamed_without_an_alias_is_held_red_and_goes_on_with_one(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    blind.statement("old name", "INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)")
    for n in range(3):
        promise.send(blind, f"v{n}", kind="old name", ordering=["a"])
    promise.send(blind, "other", ordering=["b"])
    blind.close()
    engine, named = engine_factory(), []
    engine.close()
    engine.listen(lambda event: named.append((event.name, event.facts.get("kind"))))
    engine.open(worker=False)
    assert named == [("kind_unknown", "old name")]  # at the start, before anything is tried
    closed_breaker(engine)
    assert shop.history() == ["other"]
    assert (engine.status().level, engine.status().cause) == ("red", "unknown_kind")
    engine.close()
    renamed = engine_at(shop.dsn, engine.config.folder)
    sql = "INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)"
    renamed.statement("new name", sql, "old name")
    promise.kept(renamed.open(worker=False))


def test_what_is_done_outside_is_done_once_and_only_for_what_is_committed(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    """A mail belongs to the events, which come after the commit, and not into a handler."""
    mails = []
    for n in range(4):
        promise.send(blind, f"v{n}", ordering=["a"])
    promise.send(blind, "poison", kind="put", payload=things("poison", 1), ordering=["b"])
    blind.close()
    engine = engine_factory()
    engine.close()

    def send_mail(event) -> None:
        if event.name in ("write_stored", "write_applied"):
            stored = shop.rows("SELECT 1 FROM robusto_ledger WHERE key = %s", event.facts["write"])
            mails.append((event.facts["write"], stored))

    engine.listen(send_mail)
    engine.open(worker=False)
    promise.send(engine, "direct", ordering=["c"])
    drained(engine)
    accepted = [said.accepted for said in promise.said.values() if said.value != "poison"]
    assert sorted(mails) == sorted((str(each.id), [(1,)]) for each in accepted if each)
    promise.kept(engine, quarantined=["poison"])


def test_a_row_that_somebody_forgot_to_unlock_holds_only_what_shares_its_keys(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, shop: Shop
) -> None:
    shop.run("INSERT INTO things (id, value) VALUES (1, 'was there')")
    shop.run("DELETE FROM history")
    promise.send(blind, "locked", kind="set", payload={"id": 1, "value": "locked"}, ordering=["a"])
    promise.send(blind, "behind", kind="jot", ordering=["a"])
    for n in range(6):
        promise.send(blind, str(n), kind=("note", "jot")[n % 2], ordering=["b"])
    blind.close()
    engine = engine_factory(deadline_seconds=0.5)
    with shop.connect() as forgotten:
        forgotten.execute("BEGIN")
        forgotten.execute("SELECT 1 FROM things WHERE id = 1 FOR UPDATE")
        wait_for(lambda: engine.drain().remaining == 2)
        assert shop.history() == [str(n) for n in range(6)]
        said = promise.send(engine, "beside", ordering=["c"])
        assert said.accepted is not None
    promise.kept(engine)


# -- PostgreSQL's own disk is full -----------------------------------------------------------------


@pytest.fixture
def full_disk(tmp_path: Path, shop: Shop) -> Iterator[Shop]:
    """The table of the effects lies on a full file system of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: a full disk of PostgreSQL needs root, who may mount")
    folder = tmp_path / "small"
    folder.mkdir(mode=0o700)
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"NOT TESTED: a full disk of PostgreSQL needs `mount`: {error}")
        name = f"small_{os.getpid()}_{id(folder)}"
        shop.run(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        stack.callback(shop.run, f"DROP TABLESPACE {name}")
        stack.callback(shop.run, "DROP TABLE IF EXISTS filler")
        stack.callback(shop.run, "ALTER TABLE history SET TABLESPACE pg_default")
        shop.run(f"ALTER TABLE history SET TABLESPACE {name}")
        shop.run(f"CREATE TABLE filler (text text STORAGE PLAIN) TABLESPACE {name}")
        yield shop


def fill(shop: Shop) -> None:
    """Rows of a page each, until not one more fits."""
    for number in (500, 1):
        with pytest.raises(psycopg.errors.DiskFull):
            while True:
                shop.run(f"INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, {number})")


def test_a_full_disk_of_postgresql_is_an_alarm_and_slows_the_drain_to_a_probe(
    blind: Engine, promise: Promise, engine_factory: EngineFactory, full_disk: Shop
) -> None:
    fill(full_disk)
    for n in range(20):
        promise.send(blind, str(n), ordering=[])
    blind.close()
    engine = engine_factory()
    engine.drain()
    counts = engine.inspect()[0]
    assert (counts.applied, counts.quarantined, counts.held) == (0, 0, 1)  # one was tried for all of them
    said = promise.send(engine, "direct", kind="jot", ordering=[])
    assert said.accepted is not None and said.accepted.state is WriteState.PENDING
    closed_breaker(engine)  # it answers all the same
    assert (engine.status().level, engine.status().cause) == ("red", "53100")
    full_disk.run("DROP TABLE filler")
    promise.kept(engine)
