"""A write whose COMMIT had no answer, and which the next attempt is refused: a deferred constraint."""

from __future__ import annotations

from pathlib import Path

import pytest

from robusto import Config, Engine
from robusto.testing import FakeServer
from robusto.testing import values as fake
from robusto.testing.session import Session
from tests.support.engine_kit import KEY, Shop, add_kinds, drained, note
from tests.support.engine_proxy import Loss, Proxy

pytest_plugins = ["tests.support.engine_fixtures"]

REFUSE_AT_COMMIT = """
CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'doomed' USING ERRCODE = 'check_violation'; END $$;
CREATE CONSTRAINT TRIGGER doom AFTER INSERT ON history DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.value = 'doomed') EXECUTE FUNCTION doom();
"""


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER], ids=lambda loss: loss.name)
def test_a_refusal_after_a_lost_answer_is_never_told_to_the_person(
    proxied: Engine, proxy: Proxy, shop: Shop, loss: Loss
) -> None:
    shop.run(REFUSE_AT_COMMIT)
    proxied.submit("note", note("warm"))
    proxy.lose(loss)
    proxied.submit("note", note("doomed"), key="k")
    drained(proxied)
    assert [entry.maybe_applied for entry in proxied.quarantine.list()] == [True]
    assert sorted(shop.ledger()) == ["applied", "fenced"]
    assert shop.history() == ["warm"]


def test_a_lost_answer_in_the_drain_is_on_record_when_the_write_is_refused(folder: Path) -> None:
    server = FakeServer()

    def refuse_what_was_cut(session: Session, sql: str, params: fake.Params) -> int:
        server.run = refuse_at_once
        server.lose(fake.Loss.BEFORE)  # this write's own COMMIT
        return 1

    def refuse_at_once(session: Session, sql: str, params: fake.Params) -> int:
        raise fake.SqlError("23514")

    config = Config(conninfo="", journal_path=folder, encryption_key=KEY)
    with add_kinds(Engine(config, connect=server.connect)).open(worker=False) as engine:
        server.stop()
        engine.submit("note", note("doomed"))
        assert [entry.maybe_applied for entry in engine.inspect()[1]] == [False]
        server.run = refuse_what_was_cut
        server.start()
        drained(engine)
        assert [entry.maybe_applied for entry in engine.quarantine.list()] == [True]
        assert [row.state for row in server.ledger.values()] == ["fenced"]
        assert server.effects == []
