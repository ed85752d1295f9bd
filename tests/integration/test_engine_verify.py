"""The conservation proof finds what speaks against the promise, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from robusto import DatabaseUnavailable, Engine, JournalError, WriteState, local
from robusto.clock import SystemClock
from tests.support.engine_kit import (
    EngineFactory,
    Shop,
    closed_breaker,
    drained,
    engine_at,
    note,
    put,
    wait_for,
)
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]


def change(engine: Engine, sql: str) -> None:
    """Change the journal behind the engine's back."""
    (file,) = engine.config.folder.glob("journal-*.db")
    db = local.connect(file, flush=True, create=False)
    db.execute(sql)
    db.close()


@pytest.fixture
def lived(engine: Engine, shop: Shop, postgres_server: PostgresServer) -> Engine:
    """An engine that has one write in each state."""
    engine.submit("note", note("direct"), key="direct")
    postgres_server.stop()
    engine.submit("note", note("drained"), key="drained")
    engine.submit("put", put(1, "poison"), key="quarantined", ordering_keys=["q"])
    given_up = engine.submit("put", put(2, "poison"), key="discarded")
    engine.submit("bug", note("held"), key="held")
    engine.submit("note", note("parked"), key="parked", ordering_keys=["q"])
    postgres_server.start()
    engine.drain()
    engine.quarantine.discard(given_up.id, who="ana", reason="given up")
    return engine


def test_an_ordinary_life_has_no_findings(lived: Engine) -> None:
    proof = lived.verify()
    assert proof.findings == []
    figures = (proof.accepted, proof.stored, proof.pending, proof.quarantined, proof.discarded)
    assert figures == (6, 2, 2, 1, 1)
    assert proof.as_json()["holds"] is True


def test_every_write_is_in_exactly_one_state(lived: Engine) -> None:
    states = {}
    for kind, key in [("note", "direct"), ("note", "drained"), ("put", "quarantined"), ("put", "discarded"),
                      ("bug", "held"), ("note", "parked")]:  # fmt: skip
        found = lived.find(lived.write_id(kind, key))
        assert found is not None
        states[key] = found.state
    assert states == {
        "direct": WriteState.STORED, "drained": WriteState.STORED, "quarantined": WriteState.QUARANTINED,
        "discarded": WriteState.DISCARDED, "held": WriteState.PENDING, "parked": WriteState.PENDING,
    }  # fmt: skip
    closed_breaker(lived)
    wait_for(lambda: lived.drain().remaining >= 0 and lived.status().database_connected)
    assert lived.find(lived.write_id("note", "never sent")) is None


def test_the_status_agrees_with_the_proof(engine_factory: EngineFactory, lived: Engine) -> None:
    lived.close()
    with engine_factory(worker=True) as engine:
        wait_for(lambda: engine.status().accepted == 6)
        status, proof = engine.status(), engine.verify()
    assert (status.accepted, status.stored, status.pending, status.quarantined, status.discarded) == (
        proof.accepted, proof.stored, proof.pending, proof.quarantined, proof.discarded,
    )  # fmt: skip
    assert proof.accepted == proof.stored + proof.pending + proof.quarantined + proof.discarded


@pytest.mark.parametrize("key", ["direct", "drained"])
def test_a_row_missing_from_the_ledger_is_found(lived: Engine, shop: Shop, key: str) -> None:
    id = lived.write_id("note", key)
    shop.run(f"DELETE FROM robusto_ledger WHERE key = '{id}'")
    findings = lived.verify().findings
    assert len(findings) >= 1
    assert str(id) in findings[0]


@pytest.mark.parametrize("key", ["direct", "drained"])
def test_a_row_of_the_ledger_with_another_hash_is_found(lived: Engine, shop: Shop, key: str) -> None:
    id = lived.write_id("note", key)
    shop.run(f"UPDATE robusto_ledger SET request_hash = sha256('x') WHERE key = '{id}'")
    assert str(id) in lived.verify().findings[0]


def test_a_mark_without_an_effect_is_found(lived: Engine) -> None:
    change(lived, "UPDATE entries SET state = 'applied' WHERE state = 'held'")
    findings = lived.verify().findings
    assert len(findings) == 1
    assert "marked applied" in findings[0]


@pytest.mark.parametrize("key", ["quarantined", "discarded"])
def test_an_effect_of_a_write_that_was_set_aside_is_found(lived: Engine, shop: Shop, key: str) -> None:
    id = lived.write_id("put", key)
    shop.run(f"UPDATE robusto_ledger SET state = 'applied' WHERE key = '{id}'")
    assert any(str(id) in finding for finding in lived.verify().findings)


def test_a_changed_counter_is_found(lived: Engine) -> None:
    change(lived, "UPDATE counters SET n = n + 1 WHERE state = 'applied'")
    assert any("counter" in finding for finding in lived.verify().findings)


def test_a_removed_entry_is_found(lived: Engine) -> None:
    change(lived, "DROP TRIGGER entry_pruned; DELETE FROM entries WHERE state = 'held'")
    assert not lived.verify().holds


def test_a_changed_seal_is_found_by_the_journals_own_check(lived: Engine) -> None:
    assert lived.verify_journal() == []
    change(lived, "UPDATE entries SET sealed = zeroblob(length(sealed)) WHERE seq = 1")
    assert len(lived.verify_journal()) == 1


def test_without_postgresql_the_proof_says_that_it_cannot_look(
    lived: Engine, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    with pytest.raises(DatabaseUnavailable):
        lived.verify()


def test_an_entry_whose_seal_is_broken_comes_before_a_person_and_the_rest_drains(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    for n in range(4):
        last = engine.submit("note", note(str(n)), key=str(n))
    change(engine, "UPDATE entries SET kind = 'other' WHERE seq = 2")
    change(engine, "UPDATE entries SET sealed = CAST(substr(sealed, 1, 40) AS BLOB) WHERE seq = 3")
    postgres_server.start()
    closed_breaker(engine)
    assert shop.history() == ["0", "3"]
    assert [each.reason for each in engine.quarantine.list()] == ["unreadable", "unreadable"]
    found = engine.find(last.id)
    assert found is not None and found.state is WriteState.STORED
    for each in list(engine.quarantine.list()):
        engine.quarantine.discard(each.id, who="ana", reason="nobody can read it")
    assert engine.verify().holds


def test_entries_that_can_no_longer_be_undone_are_pruned_and_stay_counted(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory()
    engine.submit("note", note("direct"))
    postgres_server.stop()
    engine.submit("note", note("a"))
    engine.submit("put", put(1, "poison"))
    postgres_server.start()
    closed_breaker(engine)
    engine.close()
    with engine_factory(worker=True, retention_seconds=0) as later:
        wait_for(lambda: later.inspect()[0].pruned == 1)
        assert later.inspect()[0].balanced
        assert later.inspect()[0].quarantined == 1
        assert later.verify().findings == []
        assert later.verify().accepted == 3


def test_what_this_host_knows_of_the_last_writes(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    engine.submit("note", note("direct"))
    postgres_server.stop()
    engine.submit("note", note("pending"))
    assert [write.payload["value"] for write, _ in engine.unfinished(["note"])] == ["pending"]
    assert engine.unfinished(["put"]) == []
    postgres_server.start()
    drained(engine)
    assert [write.payload["value"] for write in engine.recent(["note"], began)] == ["direct", "pending"]
    assert engine.recent(["note"], datetime.now(UTC) + timedelta(seconds=5)) == []


def test_a_flipped_bit_costs_only_the_entries_on_its_page(
    engine: Engine, engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    for n in range(30):
        engine.submit("note", note("x" * 1500 + str(n)))
    change(engine, "PRAGMA wal_checkpoint(TRUNCATE)")
    engine.close()
    (file,) = engine.config.folder.glob("journal-*.db")
    raw = bytearray(file.read_bytes())
    last = raw.rfind(b"note") // 4096 * 4096  # a page that holds entries
    raw[last + 3000] ^= 1
    file.write_bytes(raw)
    postgres_server.start()
    with engine_factory() as again:
        for _ in range(4):
            with suppress(JournalError):
                again.drain()
        counts = again.inspect()[0]
        assert counts.applied == len(shop.history()) >= 25
        assert counts.unfinished == 0
        # The rest is not passed over in silence: before a person, or a gap that the equation shows.
        assert counts.last_seq == 30
        assert counts.quarantined or not counts.balanced
        assert again.status().level in ("red", "yellow")
        assert {each.reason for each in again.quarantine.list()} <= {"unreadable"}


def test_a_count_that_failed_is_made_again_at_once_and_not_in_a_minute(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory()
    engine.submit("note", note("counted"))
    books = engine._ready().books
    postgres_server.stop()
    books.count_when_due()
    assert books.last() is None
    postgres_server.start()
    books.count_when_due()
    found = books.last()
    assert found is not None and found.direct == 1


class WrongClock(SystemClock):
    """A clock whose date is wrong by so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._by = timedelta(seconds=seconds)

    def wall(self) -> datetime:
        return super().wall() + self._by


@pytest.mark.parametrize(("seconds", "pruned"), [(-250, 1), (250, 1), (-350, 0), (350, 0)])
def test_nothing_is_pruned_by_a_clock_that_postgresql_does_not_confirm(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, seconds: float, pruned: int
) -> None:
    postgres_server.stop()
    engine.submit("note", note("a"))
    postgres_server.start()
    drained(engine)
    folder = engine.config.folder
    engine.close()
    clock = WrongClock(seconds)
    with engine_at(shop.dsn, folder, clock=clock, retention_seconds=-1000) as later:
        parts = later._ready()
        parts.prune()
        assert later.inspect()[0].pruned == pruned
        if not pruned:
            wait_for(lambda: later.activity.page(name="clocks_apart"))
