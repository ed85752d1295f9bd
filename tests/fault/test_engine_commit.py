"""The COMMIT that was never answered, and the backend that wakes up too late."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from robusto import Engine, KeyReused, NotAccepted, WriteState
from robusto.write import Payload
from tests.support.engine_kit import EngineFactory, Shop, closed_breaker, drained, note, put, wait_for
from tests.support.engine_proxy import Loss, Proxy
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]


@pytest.mark.parametrize(
    "loss", [Loss.BEFORE, Loss.AFTER, Loss.SILENCE, Loss.STUCK], ids=lambda loss: loss.name
)
def test_an_unanswered_commit_has_one_effect_and_a_true_answer(
    engine_factory: EngineFactory, proxy: Proxy, shop: Shop, loss: Loss
) -> None:
    engine = engine_factory(conninfo=proxy.dsn(shop.dsn), deadline_seconds=1.0)
    engine.submit("note", note("warm"))
    proxy.lose(loss)
    receipt = engine.submit("note", note("a"), key="k", ordering_keys=["x"])
    assert proxy.lost == 1
    assert not receipt.duplicate  # an own earlier try is no repeat
    in_time = loss in (Loss.BEFORE, Loss.AFTER)
    assert receipt.state is (WriteState.STORED if in_time else WriteState.PENDING)
    after = engine.submit("note", note("b"), ordering_keys=["x"])
    assert after.state is receipt.state
    proxy.cut()
    drained(engine)
    assert shop.history() == ["warm", "a", "b"]
    assert shop.ledger() == ["applied"] * 3
    again = engine.submit("note", note("a"), key="k", ordering_keys=["x"])
    assert (again.id, again.state, again.duplicate) == (receipt.id, WriteState.STORED, True)
    assert engine.verify().holds


def test_commits_lost_again_and_again_are_kept_pending(proxied: Engine, proxy: Proxy, shop: Shop) -> None:
    proxied.submit("note", note("warm"))
    proxy.lose(Loss.BEFORE, Loss.BEFORE, Loss.BEFORE)
    receipt = proxied.submit("note", note("a"))
    assert receipt.state is WriteState.PENDING
    assert proxied.inspect()[1][0].maybe_applied
    drained(proxied)
    assert shop.history() == ["warm", "a"]


def test_a_commit_lost_in_the_drain_has_one_effect(
    proxied: Engine, proxy: Proxy, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    for n in range(6):
        proxied.submit("note", note(str(n)), ordering_keys=["a"])
    postgres_server.start()
    proxy.lose(Loss.AFTER, Loss.BEFORE, Loss.AFTER, Loss.AFTER, Loss.AFTER, Loss.AFTER, Loss.BEFORE)
    drained(proxied)
    assert proxy.lost == 7
    assert shop.history() == [str(n) for n in range(6)]
    assert proxied.verify().holds


def test_connections_lost_in_the_drain_quarantine_nothing(
    engine_factory: EngineFactory, proxy: Proxy, shop: Shop, postgres_server: PostgresServer
) -> None:
    engine = engine_factory(worker=True, conninfo=proxy.dsn(shop.dsn))
    values = [str(lost) for lost in range(1, 6)]
    for lost, value in enumerate(values, 1):  # so that each commit in turn is the one that gets through
        postgres_server.stop()
        wait_for(lambda: engine.status().breaker == "open")
        assert engine.submit("note", note(value)).state is WriteState.PENDING
        proxy.lose(*[Loss.BEFORE] * lost)
        postgres_server.start()
        wait_for(lambda: not engine.inspect()[0].pending + engine.inspect()[0].held)
        assert engine.inspect()[0].quarantined == 0
    assert proxy.lost == sum(range(1, 6))
    assert shop.history() == values


def test_every_single_commit_of_a_life_may_be_lost(proxied: Engine, proxy: Proxy, shop: Shop) -> None:
    """Whichever of the first commits (the tables', the writes', the drainer's, the fence's) is lost."""
    for number in range(8):
        for loss in (Loss.BEFORE, Loss.AFTER):
            key = f"{number}{loss.name}"
            proxy.lose(*[loss] * (number % 4 + 1))
            assert proxied.submit("note", note(key), key=key).state in (WriteState.STORED, WriteState.PENDING)
    drained(proxied)
    assert sorted(shop.history()) == sorted({f"{n}{loss}" for n in range(8) for loss in ("BEFORE", "AFTER")})
    assert proxied.verify().holds


def test_what_is_rejected_after_an_unanswered_try_goes_to_the_journal_and_is_fenced(
    proxied: Engine, proxy: Proxy, shop: Shop
) -> None:
    """The unanswered try may still commit, so nobody may be told that it was refused."""
    proxied.submit("note", note("warm"))
    refuse = threading.Event()

    @proxied.handler("first.takes.then.refuses")
    def handler(tx, payload):
        tx.execute("INSERT INTO history (id, value) VALUES (1, 'a')")
        if refuse.is_set():
            tx.execute("INSERT INTO things VALUES (1, 'poison')")
        refuse.set()

    proxy.lose(Loss.BEFORE)
    receipt = proxied.submit("first.takes.then.refuses", {}, key="k")
    assert (receipt.state, receipt.reason) == (WriteState.PENDING, "23514")
    closed_breaker(proxied)
    assert [each.id for each in proxied.quarantine.list()] == [receipt.id]
    assert shop.rows("SELECT state FROM robusto_ledger WHERE key = %s", receipt.id) == [("fenced",)]
    assert shop.history() == ["warm"]
    assert proxied.verify().holds


def test_a_fence_whose_own_commit_is_lost_still_ends_in_quarantine(
    proxied: Engine, proxy: Proxy, shop: Shop, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    bad = proxied.submit("put", put(1, "poison"))
    free = proxied.submit("note", note("free"))
    postgres_server.start()
    # The first commit is the drainer's announcement, the second the fence.
    shop.rows("SELECT 1")
    proxied.submit("note", note("late"))
    proxy.lose(Loss.AFTER, Loss.AFTER, Loss.AFTER)
    drained(proxied)
    assert [(each.id, each.reason) for each in proxied.quarantine.list()] == [(bad.id, "23514")]
    assert sorted(shop.history()) == ["free", "late"]
    found = proxied.find(free.id)
    assert found is not None and found.state is WriteState.STORED


def backend_of(shop: Shop, text: str) -> int:
    """The pid of the backend that runs this statement."""
    found: list[tuple[int]] = []

    def look() -> bool:
        found[:] = shop.rows(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()", f"%{text}%"
        )
        return bool(found)

    wait_for(look)
    return found[0][0]


def freeze_in_mid_write(engine: Engine, shop: Shop, kind: str, payload: Payload, key: str):
    """SIGSTOP the one backend of a write that is under way; returns its pid and the answer."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.submit, kind, payload, key=key)
        pid = backend_of(shop, "pg_sleep")
        os.kill(pid, signal.SIGSTOP)
        return pid, answer.result(20)


def thawed(shop: Shop, pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: shop.rows("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == [(0,)])


SLOW = {"statements": ["INSERT INTO history (id, value) VALUES (1, 'slow')", "SELECT pg_sleep(0.4)"]}


def test_a_frozen_backend_that_is_thawed_later_has_no_second_effect(engine: Engine, shop: Shop) -> None:
    engine.submit("note", note("warm"))
    pid, receipt = freeze_in_mid_write(engine, shop, "sql", SLOW, "k")
    assert receipt.state is WriteState.PENDING
    engine.drain()  # its lock stands in the way
    thawed(shop, pid)
    drained(engine)
    assert shop.history() == ["warm", "slow"]
    assert engine.verify().holds


def test_a_transaction_that_still_hangs_on_the_server_has_no_effect_once_its_write_was_given_up(
    proxied: Engine, proxy: Proxy, shop: Shop
) -> None:
    """The COMMIT got stuck on the way; meanwhile the write was quarantined and discarded."""
    proxied.submit("note", note("warm"))
    stuck = threading.Event()

    @proxied.handler("late")
    def late(tx, payload):
        tx.execute("INSERT INTO history (id, value) VALUES (1, 'zombie')")
        if stuck.is_set():
            tx.execute("INSERT INTO things VALUES (1, 'poison')")
        stuck.set()

    proxy.lose(Loss.STUCK)
    receipt = proxied.submit("late", {}, key="k")
    assert receipt.state is WriteState.PENDING
    # Its own uncommitted ledger row keeps the fence out until the server has ended that transaction.
    wait_for(lambda: proxied.drain().quarantined, 20)
    proxied.quarantine.discard(receipt.id, who="ana", reason="given up")
    proxy.cut()
    drained(proxied)
    assert shop.history() == ["warm"]
    assert shop.rows("SELECT state FROM robusto_ledger WHERE key = %s", receipt.id) == [("fenced",)]
    assert proxied.verify().holds


def test_an_older_version_of_a_fenced_write_is_never_applied(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """What waits on another host under the same key finds the fence there."""
    here, elsewhere = engine_factory(), engine_factory(folder=tmp_path / "another host")
    postgres_server.stop()
    bad = here.submit("put", put(1, "poison"), key="k")
    late = elsewhere.submit("put", put(1, "poison"), key="k")
    assert late.id == bad.id
    postgres_server.start()
    closed_breaker(here)
    here.quarantine.discard(bad.id, who="ana", reason="given up")
    shop.run("ALTER TABLE things DROP CONSTRAINT no_poison")  # now it could
    for _ in range(3):
        elsewhere.drain()
    assert shop.history() == []
    assert elsewhere.inspect()[0].held == 1
    with_direct_path = engine_factory(folder=tmp_path / "third host")
    assert with_direct_path.submit("put", put(1, "poison"), key="k").reason == "fenced"
    assert shop.history() == []


def test_two_senders_of_one_key_are_never_both_told_the_wrong_thing(
    engine_factory: EngineFactory, proxy: Proxy, shop: Shop
) -> None:
    """One waits behind an unanswered COMMIT of the other, with the same key and another body."""
    slow = engine_factory(conninfo=proxy.dsn(shop.dsn), deadline_seconds=1.5)
    quick = engine_factory(deadline_seconds=0.3)
    slow.submit("note", note("warm"))
    proxy.lose(Loss.SILENCE)
    answers: dict[str, object] = {}

    def send(engine: Engine, body: str) -> None:
        try:
            answers[body] = engine.submit("note", note(body), key="k").state
        except NotAccepted as error:
            answers[body] = f"unknown={error.maybe_applied}"
        except KeyReused:
            answers[body] = "refused"

    first = threading.Thread(target=send, args=(slow, "first"))
    first.start()
    wait_for(lambda: proxy.lost == 1)
    send(quick, "second")
    first.join(20)
    assert shop.history() == ["warm", "first"]
    assert answers["first"] != "refused"  # it took effect
    drained(quick)
    assert shop.history() == ["warm", "first"]
    assert answers["second"] == "unknown=True"  # it may not be told "refused" before the first is settled
    with pytest.raises(KeyReused):
        quick.submit("note", note("second"), key="k")


def test_with_the_journal_gone_an_unanswered_commit_is_unknown(
    proxied: Engine, proxy: Proxy, shop: Shop
) -> None:
    proxied.submit("note", note("warm"))
    proxy.lose(Loss.AFTER, Loss.BEFORE, Loss.BEFORE)
    away = proxied.config.folder.with_name("away")

    @proxied.handler("removes.the.journal")
    def remove(tx, payload):
        tx.execute("INSERT INTO history (id, value) VALUES (1, 'a')")
        if proxied.config.folder.exists():
            Path(proxied.config.folder).rename(away)

    proxy.lose(Loss.BEFORE)
    with pytest.raises(NotAccepted) as refusal:
        proxied.submit("removes.the.journal", {}, key="k")
    assert (refusal.value.maybe_applied, refusal.value.key) == (True, "k")
    away.rename(proxied.config.folder)
    assert proxied.submit("removes.the.journal", {}, key="k").state in (WriteState.STORED, WriteState.PENDING)
    drained(proxied)
    assert shop.history() == ["warm", "a"]
