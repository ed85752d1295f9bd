"""What the caller of `submit` is told while PostgreSQL is well, and what is kept."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from robusto import Engine, KeyReused, WriteRejected, WriteState
from tests.support.engine_kit import EngineFactory, Shop, note, put

pytest_plugins = ["tests.support.engine_fixtures"]


def nothing_was_kept(engine: Engine, shop: Shop) -> bool:
    counts, _ = engine.inspect()
    return shop.history() == [] and shop.ledger() == [] and counts.last_seq == 0


def test_a_write_is_stored_with_its_ledger_row(engine: Engine, shop: Shop) -> None:
    receipt = engine.submit("note", note("a"), key="k")
    assert (receipt.key, receipt.state, receipt.duplicate) == ("k", WriteState.STORED, False)
    assert receipt.id == engine.write_id("note", "k")
    assert shop.history() == ["a"]
    assert shop.rows("SELECT key, kind, version, state, direct FROM robusto_ledger") == [
        (receipt.id, "note", 1, "applied", True)
    ]


def test_a_write_without_a_key_gets_one(engine: Engine, shop: Shop) -> None:
    first, second = engine.submit("note", note("a")), engine.submit("note", note("a"))
    assert first.key and second.key and first.key != second.key
    assert shop.history() == ["a", "a"]


def test_a_repeat_is_answered_as_the_first_time_and_has_no_effect(engine: Engine, shop: Shop) -> None:
    first = engine.submit("note", note("a"), key="k")
    again = engine.submit("note", note("a"), key="k")
    assert (again.id, again.state, again.duplicate) == (first.id, WriteState.STORED, True)
    assert shop.history() == ["a"]


def test_a_repeat_through_another_process_is_recognised(engine_factory: EngineFactory, shop: Shop) -> None:
    first = engine_factory().submit("note", note("a"), key="k")
    again = engine_factory().submit("note", note("a"), key="k")
    assert (again.id, again.duplicate) == (first.id, True)
    assert shop.history() == ["a"]


def test_a_key_with_another_body_is_refused(engine: Engine, shop: Shop) -> None:
    engine.submit("note", note("a"), key="k")
    with pytest.raises(KeyReused) as refusal:
        engine.submit("note", note("b"), key="k")
    assert refusal.value.reason == "key_reused"
    assert shop.history() == ["a"]
    assert len(shop.ledger()) == 1
    assert engine.inspect()[0].last_seq == 0


def test_a_key_belongs_to_its_namespace_and_kind(engine: Engine, shop: Shop) -> None:
    for namespace, kind in [("", "note"), ("token", "note"), ("", "other")]:
        assert not engine.submit(kind, note("a"), key="1", namespace=namespace).duplicate
    assert shop.history() == ["a", "a", "a"]


def test_what_the_app_adds_to_the_request_does_not_make_it_another_one(engine: Engine, shop: Shop) -> None:
    engine.submit("note", note("first"), key="k", request={"name": "a"})
    assert engine.submit("note", note("enriched differently"), key="k", request={"name": "a"}).duplicate
    with pytest.raises(KeyReused):
        engine.submit("note", note("first"), key="k", request={"name": "b"})
    assert shop.history() == ["first"]


@pytest.mark.parametrize("processes", [1, 2], ids=["threads", "engines"])
def test_of_two_bodies_under_one_key_exactly_one_is_stored(
    engine_factory: EngineFactory, shop: Shop, processes: int
) -> None:
    engines = [engine_factory() for _ in range(processes)] * (3 - processes)
    for number in range(40):
        answers: dict[str, str] = {}
        together = threading.Barrier(2)

        def send(engine: Engine, body: str, key: str, answers=answers, together=together) -> None:
            together.wait(5)
            try:
                receipt = engine.submit("note", note(f"{key}{body}"), key=key)
                answers[body] = f"{receipt.state.value} duplicate={receipt.duplicate}"
            except KeyReused:
                answers[body] = "refused"

        threads = [
            threading.Thread(target=send, args=(engine, body, f"k{number}"))
            for engine, body in zip(engines, "ab", strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(answers.values()) == ["refused", "stored duplicate=False"]
        winner = next(body for body, answer in answers.items() if answer != "refused")
        assert shop.rows("SELECT value FROM history WHERE value LIKE %s", f"k{number}_") == [
            (f"k{number}{winner}",)
        ]


def test_eight_threads_with_one_key_have_one_effect_and_one_answer(engine: Engine, shop: Shop) -> None:
    receipts = []
    threads = [
        threading.Thread(target=lambda: receipts.append(engine.submit("note", note("a"), key="k")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {(each.id, each.state) for each in receipts} == {(receipts[0].id, WriteState.STORED)}
    assert sorted(each.duplicate for each in receipts) == [False] + [True] * 7
    assert shop.history() == ["a"]


def test_a_broken_constraint_is_named_and_nothing_is_kept(engine: Engine, shop: Shop) -> None:
    engine.submit("put", put(1, code="x"))
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("put", put(2, code="x"), key="k")
    assert (refusal.value.reason, refusal.value.constraint) == ("23505", "one_code")
    assert len(shop.ledger()) == 1
    assert engine.inspect()[0].last_seq == 0
    assert engine.submit("put", put(2, code="y"), key="k").state is WriteState.STORED  # mended, same key


def test_a_constraint_that_is_checked_at_commit_is_named_too(engine: Engine, shop: Shop) -> None:
    shop.run("ALTER TABLE things ADD CONSTRAINT late UNIQUE (value) DEFERRABLE INITIALLY DEFERRED")
    engine.submit("put", put(1, "same"))
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("put", put(2, "same"))
    assert (refusal.value.reason, refusal.value.constraint) == ("23505", "late")
    assert len(shop.ledger()) == 1


def test_an_effect_on_no_row_is_refused(engine: Engine, shop: Shop) -> None:
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("set", {"id": 99, "value": "x"}, key="k")
    assert refusal.value.reason == "no_effect"
    assert nothing_was_kept(engine, shop)


def test_a_handler_that_refuses_tells_its_caller_why(engine: Engine, shop: Shop) -> None:
    with pytest.raises(WriteRejected) as refusal:
        engine.submit("refuse", note("seen"), key="k")
    assert (refusal.value.reason, refusal.value.detail) == ("conflict", {"seen": "seen"})
    assert nothing_was_kept(engine, shop)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param({"value": "a\x00b"}, id="NUL"),
        pytest.param({"va\x00lue": "a"}, id="NUL in a name"),
        pytest.param({"value": "\ud800"}, id="lone surrogate"),
        pytest.param({"value": ["deep", {"\udfff": 1}]}, id="lone surrogate deep down"),
        pytest.param({"value": math.nan}, id="NaN"),
        pytest.param({"value": float("1e999")}, id="infinity"),
        pytest.param({"value": b"bytes"}, id="bytes"),
        pytest.param({"value": {"a", "set"}}, id="set"),
        pytest.param({"value": nested(40)}, id="40 levels"),
        pytest.param({"value": "x" * 1_000_001}, id="a megabyte"),
        pytest.param({"value": 10**5000}, id="5001 digits"),
        pytest.param({1: "a"}, id="number as a name"),
        pytest.param({"value": {None: 1}}, id="null as a name"),
    ],
)
def test_a_hostile_payload_is_refused_before_anything_is_tried(
    engine: Engine, shop: Shop, hostile: dict[str, Any]
) -> None:
    for payload, request in [(hostile, None), (hostile, {}), (note("a"), hostile)]:
        with pytest.raises(ValueError):
            engine.submit("note", payload, key="k", request=request)
    assert nothing_was_kept(engine, shop)


def test_a_payload_that_refers_to_itself_is_refused(engine: Engine) -> None:
    payload: dict[str, Any] = {}
    payload["me"] = payload
    with pytest.raises(ValueError):
        engine.submit("note", payload)


@pytest.mark.parametrize("value", ["á\u202ex", "\U0001f600", "=1+1", "<script>", "a\r\nb", "", " "])
def test_what_is_kept_is_what_was_sent(engine: Engine, shop: Shop, value: str) -> None:
    engine.submit("note", note(value))
    assert shop.history() == [value]


@pytest.mark.parametrize("key", ["", "x" * 501, "a\nb", "a\x00", "\u202e", "\ud800"], ids=ascii)
def test_a_key_has_1_to_500_printable_characters(engine: Engine, shop: Shop, key: str) -> None:
    with pytest.raises(ValueError):
        engine.submit("note", note("a"), key=key)
    assert nothing_was_kept(engine, shop)


@pytest.mark.parametrize("key", ["x", "x" * 500, "ção 1", "123.456.789-09"])
def test_an_ordinary_key_is_taken(engine: Engine, key: str) -> None:
    assert engine.submit("note", note("a"), key=key).key == key


def test_only_a_digest_of_the_key_reaches_postgresql(engine: Engine, shop: Shop) -> None:
    engine.submit("note", note("a"), key="123.456.789-09", ordering_keys=["cpf:123.456.789-09"])
    assert "123" not in str(shop.rows("SELECT kind, key::text, request_hash::text FROM robusto_ledger")[0][0])
    found = shop.rows("SELECT count(*) FROM robusto_ledger l WHERE l::text LIKE '%%123.456%%'")
    assert found == [(0,)]
