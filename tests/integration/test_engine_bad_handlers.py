"""A handler that is wrong, slow or missing holds up its own kind and nothing else."""

from __future__ import annotations

import pytest

from robusto import Engine, WriteRejected, WriteState
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, drained, engine_at, note, put
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]


def statements(*sql: str) -> dict[str, list[str]]:
    return {"statements": list(sql)}


INSERT = "INSERT INTO history (id, value) VALUES (1, 'effect')"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("swallow", "swallowed_error"), ("bug", "handler:ZeroDivisionError"), ("unknown", "unknown_kind")],
)
def test_a_mistake_of_ours_is_kept_pending_and_only_its_kind_is_held(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, kind: str, reason: str
) -> None:
    receipt = engine.submit(kind, note("ours"), ordering_keys=["a"])
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, reason)
    assert engine.submit("note", note("direct"), ordering_keys=["b"]).state is WriteState.STORED
    postgres_server.stop()
    engine.submit(kind, note("ours again"), ordering_keys=["c"])
    engine.submit("note", note("follower"), ordering_keys=["c"])
    engine.submit("note", note("drained"), ordering_keys=["d"])
    postgres_server.start()
    closed_breaker(engine)
    assert shop.history() == ["direct", "drained"]
    status = engine.status()
    assert (status.level, status.quarantined, status.pending) == ("red", 0, 3)
    assert reason in status.reason


def test_a_kind_that_is_mended_by_a_new_release_goes_on(
    engine_factory: EngineFactory, shop: Shop, engine: Engine
) -> None:
    engine.submit("new.kind", note("kept"), key="k")
    engine.close()
    mended = engine_at(shop.dsn, engine.config.folder)
    mended.statement("renamed", "INSERT INTO history (id, value) VALUES (%(id)s, %(value)s)", "new.kind")
    with mended.open(worker=False):
        drained(mended)
        assert shop.history() == ["kept"]
        assert mended.submit("new.kind", note("kept"), key="k").duplicate


def test_an_error_that_the_handler_wrapped_is_seen_through(engine: Engine, shop: Shop) -> None:
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("wrap", note("a"))
    assert (refusal.value.reason, refusal.value.constraint) == ("23514", "no_poison")
    assert shop.ledger() == []


def test_an_error_behind_a_savepoint_of_the_handlers_own_is_none(engine: Engine, shop: Shop) -> None:
    @engine.handler("careful")
    def careful(tx, payload):
        tx.execute(INSERT)
        tx.execute("SAVEPOINT s")
        with pytest.raises(Exception, match="no_poison"):
            tx.execute("INSERT INTO things VALUES (1, 'poison')")
        tx.execute("ROLLBACK TO s")

    assert engine.submit("careful", {}).state is WriteState.STORED
    assert shop.history() == ["effect"]


@pytest.mark.parametrize("ending", ["ROLLBACK", "COMMIT"])
def test_a_handler_that_ends_the_transaction_itself_is_never_called_stored(
    engine: Engine, shop: Shop, ending: str
) -> None:
    receipt = engine.submit("sql", statements(INSERT, ending))
    told = receipt.state is WriteState.STORED
    assert not told or (shop.ledger() == ["applied"] and shop.history() == ["effect"])


def test_poison_at_the_head_is_set_aside_and_the_rest_drains(
    engine: Engine, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    bad = [
        engine.submit("put", put(1, "poison")),
        engine.submit("set", {"id": 99, "value": "nobody"}),
        engine.submit("refuse", note("conflict")),
        engine.submit("sql", statements("INSERT INTO things VALUES (2, 'x' || chr(0))")),
        engine.submit("sql", statements("SELECT 1 / 0")),
        engine.submit("put", {"id": "no number", "value": "v", "code": None}),
        engine.submit("put", {"id": 5}),
    ]
    for n in range(3):
        engine.submit("note", note(str(n)))
    postgres_server.start()
    closed_breaker(engine)
    assert shop.history() == ["0", "1", "2"]
    reasons = {each.id: each.reason for each in engine.quarantine.list()}
    held = {each.id: each.reason for each in engine.inspect()[1] if each.id not in reasons}
    assert [reasons.get(each.id) for each in bad[:6]] == [
        "23514", "no_effect", "conflict", "54000", "22012", "22P02",
    ]  # fmt: skip
    assert set(reasons) | set(held) == {each.id for each in bad}
    assert engine.status().level in ("yellow", "red")
    assert engine.verify().findings == []


def test_a_payload_without_a_field_that_its_statement_needs_is_not_lost(engine: Engine, shop: Shop) -> None:
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("put", {"id": 5})
    assert refusal.value.reason.startswith("client:")
    assert shop.ledger() == []


#: Errors that come from this one statement, again and again, while the server is well.
TROUBLE = {
    "a feature that does not exist": "SELECT count(*) FROM things FOR UPDATE",  # 0A000
    "a statement that is not prepared": "EXECUTE nothing",  # 26000
    "an internal error": "SELECT internal_error()",  # XX000
    "a state that does not fit": "SELECT odd_state()",  # 55000
}
_RAISING = """
CREATE FUNCTION {}() RETURNS void LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''x'' USING ERRCODE = ''{}''; END'
"""


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_an_error_of_one_statement_is_no_outage(
    engine: Engine, shop: Shop, postgres_server: PostgresServer, trouble: str
) -> None:
    for name, code in [("internal_error", "XX000"), ("odd_state", "55000")]:
        shop.run(_RAISING.format(name, code))
    postgres_server.stop()
    engine.submit("sql", statements(trouble))
    engine.submit("note", note("drained"), ordering_keys=["b"])
    postgres_server.start()
    for _ in range(6):
        engine.drain()
    assert shop.history() == ["drained"]


def test_a_handler_that_takes_longer_than_the_deadline_is_no_outage(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory(deadline_seconds=0.4)
    postgres_server.stop()
    engine.submit("sql", statements(*["SELECT pg_sleep(0.15)"] * 5, INSERT))
    engine.submit("note", note("drained"), ordering_keys=["b"])
    postgres_server.start()
    for _ in range(6):
        engine.drain()
    assert shop.history() == ["drained"]


def test_one_slow_statement_holds_its_own_entry(engine_factory: EngineFactory, shop: Shop) -> None:
    engine = engine_factory(deadline_seconds=0.4)
    receipt = engine.submit("sql", statements("SELECT pg_sleep(5)"))
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, "57014")
    assert engine.submit("note", note("beside")).state is WriteState.STORED
