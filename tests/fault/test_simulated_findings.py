"""What the simulation found, once more with a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from robusto import Engine, JournalError, WriteState
from robusto.journal.entry import EntryState
from tests.support.engine_journals import break_file
from tests.support.engine_kit import (
    KEY,
    OTHER_KEY,
    EngineFactory,
    JumpingClock,
    Shop,
    closed_breaker,
    note,
    put,
)

pytest_plugins = ["tests.support.engine_fixtures"]

NOWHERE = "postgresql://u@127.0.0.1:1/d"


def pending(engine_factory: EngineFactory, folder: Path, key: str) -> None:
    """Poison that this host has accepted in an outage."""
    with engine_factory(conninfo=NOWHERE, folder=folder) as blind:
        assert blind.submit("put", put(1, "poison"), key=key).state is WriteState.PENDING


def test_patience_goes_on_when_the_clock_was_set_back(engine_factory: EngineFactory, tmp_path: Path) -> None:
    """Seed 902: what another host has before its person waited here for as long as the clock had jumped."""
    here, there = tmp_path / "here", tmp_path / "there"
    pending(engine_factory, here, "k")
    pending(engine_factory, there, "k")
    with engine_factory(folder=there) as elsewhere:
        elsewhere.drain()
        assert elsewhere.inspect()[0].quarantined == 1
    clock = JumpingClock()
    engine = engine_factory(folder=here, clock=clock)
    clock.wrong = timedelta(days=1)
    engine.drain()
    assert [entry.reason for entry in engine.inspect()[1]] == ["fenced"]
    clock.wrong = timedelta()
    engine.drain()
    assert engine.inspect()[0].held == 1  # its patience begins anew
    clock.wrong = timedelta(seconds=90)
    engine.drain()
    assert engine.inspect()[0].quarantined == 1


def test_what_was_applied_stays_applied_when_its_key_is_gone_and_the_file_fails(
    engine_factory: EngineFactory, shop: Shop, folder: Path
) -> None:
    """Seed 20035: with the next file it came before a person, who could give up what had taken effect."""
    with engine_factory(conninfo=NOWHERE, encryption_key=OTHER_KEY) as blind:
        receipt = blind.submit("note", note("1"), key="k")
    with engine_factory(encryption_key=f"{KEY},{OTHER_KEY}") as rotated:
        closed_breaker(rotated)
        assert shop.history() == ["1"]
    engine = engine_factory(encryption_key=KEY)
    renewed(engine)
    entry = engine._ready().journal.find(receipt.id)
    assert entry is not None and entry.state is EntryState.APPLIED
    assert engine.inspect()[0].quarantined == 0
    assert engine.verify().findings == []
    again = engine.submit("note", note("1"), key="k")
    assert (again.state, again.duplicate) == (WriteState.STORED, True)


def test_what_may_have_been_applied_is_asked_about_before_a_person_sees_it(
    engine_factory: EngineFactory, shop: Shop, folder: Path
) -> None:
    """Seed 20035: its seal is damaged, its file fails, and the answer to its COMMIT had been lost."""
    engine = engine_factory()
    blind = engine_factory(conninfo=NOWHERE)
    assert blind.submit("note", note("1"), key="k").state is WriteState.PENDING
    with engine_factory(folder=folder.with_name("other")) as elsewhere:
        elsewhere.submit("note", note("1"), key="k")  # stands for the COMMIT whose answer was lost
    _damage(engine)
    renewed(engine)
    engine.drain()
    counts = engine.inspect()[0]
    assert (counts.applied, counts.quarantined) == (1, 0)
    assert shop.history() == ["1"]


def _damage(engine: Engine) -> None:
    with engine._ready().journal._opening.current().reading() as db:
        db.execute("UPDATE entries SET sealed = CAST(substr(sealed, 1, 40) AS BLOB)")


def renewed(engine: Engine) -> None:
    """The disk fails under the journal's file; the next append begins a new one."""
    journal = engine._ready().journal
    break_file(journal)
    before = journal._opening._file
    try:
        journal.counts()
    except JournalError as error:
        raise AssertionError("no new file was made") from error
    assert journal._opening._file is not before
