"""Fault 48 at `Engine.submit`: refused before anything is kept, or kept and applied as it was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robusto import Engine, Receipt, Transaction, WriteState
from robusto.errors import KeyReused
from robusto.write import Payload
from tests.support.engine_kit import EngineFactory, Shop, drained, note
from tests.support.hostile import (
    LONE_SURROGATE,
    MONSTERS,
    TEXTS,
    as_json,
    fuzzed,
    good_texts,
    good_values,
    texts,
    texts_in,
    values,
)
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]
pytestmark = pytest.mark.postgres

_TABLE = "CREATE TABLE kept (body text NOT NULL, texts text[] NOT NULL)"
no_text = st.sampled_from([b"bytes", 5, ["a"], object(), 1.5])
names = st.sampled_from(["", "a", "ação"]) | texts | no_text | st.just("n" * 501)
calls = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["keep"] * 9 + [None, 5, b"keep", "", "k" * 201]) | st.sampled_from(TEXTS),
        "payload": st.dictionaries(texts, values, max_size=3) | values,
    },
    optional={
        "key": st.none() | texts | no_text | st.just("k" * 501) | st.uuids().map(str),
        "namespace": names,
        "author": names,
        "ordering_keys": st.lists(names, max_size=3) | names | st.none() | st.just({"a": 1}),
        "after": st.lists(names, max_size=2),
        "request": values,
    },
)  # fmt: skip

#: What JSON and PostgreSQL can hold, under names that can be kept.
good_calls = st.fixed_dictionaries(
    {"payload": st.dictionaries(good_texts, good_values, max_size=3)},
    optional={
        "namespace": good_texts,
        "author": good_texts,
        "ordering_keys": st.lists(good_texts, max_size=3) | st.sets(good_texts, max_size=3),
        "after": st.tuples(good_texts),
        "request": st.dictionaries(good_texts, good_values, max_size=2),
    },
)


@dataclass
class Keeper:
    """Sends, and remembers what was taken."""

    engine: Engine
    shop: Shop
    taken: list[tuple[Receipt, Payload]] = field(default_factory=list)
    refused: int = 0

    def send(self, kind: Any = "keep", payload: Any = None, **more: Any) -> Receipt | None:
        before = self.kept()
        try:
            receipt = self.engine.submit(kind, payload, **more)
        except (ValueError, KeyReused):
            assert self.kept() == before, "refused, and yet kept"
            self.refused += 1
            return None
        if not receipt.duplicate:
            self.taken.append((receipt, json.loads(json.dumps(payload))))
        return receipt

    def kept(self) -> tuple[int, int]:
        """How much there is: the journal's last number, and the ledger's rows while PostgreSQL is there."""
        journal = self.engine.inspect()[0].last_seq
        return journal, len(self.shop.ledger()) if self.engine.status().database_connected else 0

    def journaled(self) -> list[str]:
        found = [self.engine.backlog.show(receipt.id) for receipt, _ in self.taken]
        return [as_json(each.write.payload) for each in found if each is not None and each.write is not None]

    def applied(self) -> list[str]:
        rows = self.shop.rows("SELECT body, texts FROM kept")
        assert all(sorted(texts_in(json.loads(body))) == sorted(found) for body, found in rows)
        return sorted(body for body, _ in rows)

    def sent(self) -> list[str]:
        return [as_json(payload) for _, payload in self.taken]


@pytest.fixture
def keeper(engine_factory: EngineFactory, shop: Shop) -> Keeper:
    shop.run(_TABLE)
    engine = engine_factory()

    @engine.handler("keep", *(text for text in TEXTS if text.isprintable()))
    def keep(tx: Transaction, payload: Payload) -> None:
        sql = "INSERT INTO kept (body, texts) VALUES (%s, %s)"
        tx.execute(sql, (as_json(payload), list(texts_in(payload))))

    return Keeper(engine, shop)


def send_all(keeper: Keeper) -> None:
    @fuzzed(60)
    @given(calls)
    def hostile(call: dict[str, Any]) -> None:
        keeper.send(**call)

    @fuzzed(60)
    @given(good_calls)
    def good(call: dict[str, Any]) -> None:
        assert keeper.send(**call) is not None, "nothing speaks against it"

    hostile()
    assert keeper.refused
    good()


def test_whatever_is_sent_is_refused_before_it_is_kept_or_applied_as_it_was_sent(keeper: Keeper) -> None:
    send_all(keeper)
    drained(keeper.engine)
    assert not list(keeper.engine.quarantine.list())
    assert keeper.applied() == sorted(keeper.sent())
    assert keeper.engine.verify().holds


def test_in_an_outage_nothing_is_kept_that_becomes_poison_later(
    keeper: Keeper, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    keeper.send(payload={})
    send_all(keeper)
    assert {receipt.state for receipt, _ in keeper.taken} == {WriteState.PENDING}
    assert keeper.journaled() == keeper.sent()
    postgres_server.start()
    drained(keeper.engine)
    assert not list(keeper.engine.quarantine.list())
    assert keeper.applied() == sorted(keeper.sent())
    assert keeper.engine.verify().holds


def test_a_payload_that_is_too_much_is_refused_before_it_is_kept(keeper: Keeper) -> None:
    for name, make in MONSTERS.items():
        assert keeper.send(payload=make()) is None, name
        assert keeper.send(payload={}, request=make()) is None, name


#: Each was taken once, or ended in an error only after the write was stored.
_NO_NAMES: dict[str, dict[str, Any]] = {
    "a kind with a NUL, which no ledger can hold": {"kind": "no\x00te"},
    "an author of bytes, which the copy of a stored write choked on": {"author": b"ana"},
    "an author with half a character, whom no page can show": {"author": LONE_SURROGATE},
    "a list in place of an object": {"payload": [1]},
    "no payload at all": {"payload": None},
    "one ordering key, whose letters would be taken for keys": {"ordering_keys": "aluno:1"},
    "one parent, likewise": {"after": "aluno:1"},
    "a key of bytes": {"key": b"1"},
}


def test_what_is_no_name_is_refused_with_a_word_and_not_half_way(keeper: Keeper) -> None:
    for what, call in _NO_NAMES.items():
        assert keeper.send(**{"payload": {}} | call) is None, what


def test_a_tuple_takes_effect_as_a_list_on_both_ways(engine_factory: EngineFactory, shop: Shop) -> None:
    engine = engine_factory()
    seen = []

    @engine.handler("see")
    def see(tx: Transaction, payload: Payload) -> None:
        seen.append(payload["many"])
        tx.execute("INSERT INTO history (id, value) VALUES (1, 'seen')")

    engine.submit("see", {"many": (1, (2, 3))})
    engine._ready().breaker.failed("cannot_connect")
    engine.submit("see", {"many": (1, (2, 3))})
    drained(engine)
    assert seen == [[1, [2, 3]], [1, [2, 3]]]


def test_what_a_handler_does_to_its_payload_does_not_get_into_the_journal(
    engine_factory: EngineFactory,
) -> None:
    engine = engine_factory()

    @engine.handler("spoil")
    def spoil(tx: Transaction, payload: Payload) -> None:
        assert isinstance(payload, dict)
        payload["value"] = "spoilt"
        payload.pop("id")
        tx.execute("INSERT INTO nowhere VALUES (1)")

    receipt = engine.submit("spoil", note("as it was sent"))
    assert receipt.state is WriteState.PENDING
    opened = engine.backlog.show(receipt.id)
    assert opened is not None and opened.write is not None
    assert opened.write.payload == note("as it was sent")
