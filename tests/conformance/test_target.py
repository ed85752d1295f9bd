"""What every target of the delivery must do, PostgreSQL or a fake of it: add another one to TARGETS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from robusto import Refused, Transaction
from robusto.clock import SystemClock
from robusto.deadline import Deadline
from robusto.errors import LeaseLost
from robusto.handlers import Handler
from robusto.outcome import Applied, Held, Outcome, Rejected, Scope, Unavailable
from robusto.postgres import ledger
from robusto.postgres.ledger import Fence
from robusto.postgres.target import PostgresTarget
from robusto.testing import FakeServer, Loss, Session, SqlError
from robusto.testing.values import Params
from robusto.write import Payload, Write
from tests.support import engine_proxy
from tests.support.engine_journals import a_write
from tests.support.engine_kit import Shop
from tests.support.engine_proxy import Proxy
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]

JOURNAL, OTHER_JOURNAL = uuid4(), uuid4()


class Subject(Protocol):
    """A target with a history that its handlers write to, and a switch."""

    def target(self, journal: UUID = JOURNAL) -> PostgresTarget: ...
    def effects(self) -> list[str]: ...
    def away(self) -> None: ...
    def back(self) -> None: ...
    def lose(self, loss: Loss) -> None: ...


class OnPostgres:
    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._shop: Shop = request.getfixturevalue("shop")
        self._server: PostgresServer = request.getfixturevalue("postgres_server")
        self._proxy: Proxy = request.getfixturevalue("proxy")

    def target(self, journal: UUID = JOURNAL) -> PostgresTarget:
        return PostgresTarget(self._proxy.dsn(self._shop.dsn), 4, lambda: journal)

    def effects(self) -> list[str]:
        return self._shop.history()

    def away(self) -> None:
        self._server.stop()

    def back(self) -> None:
        self._server.start()

    def lose(self, loss: Loss) -> None:
        self._proxy.lose(engine_proxy.Loss[loss.name])


class InMemory:
    """The fake that users get, with the shop's one rule."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._server = FakeServer(self._run)

    @staticmethod
    def _run(session: Session, sql: str, params: Params) -> int:
        if "poison" in sql:
            raise SqlError("23514", "no_poison")
        return 0 if "WHERE false" in sql else 1

    def target(self, journal: UUID = JOURNAL) -> PostgresTarget:
        return PostgresTarget("", 4, lambda: journal, self._server.connect)

    def effects(self) -> list[str]:
        return [effect.params["value"] for effect in self._server.effects if isinstance(effect.params, dict)]

    def away(self) -> None:
        self._server.stop()

    def back(self) -> None:
        self._server.start()

    def lose(self, loss: Loss) -> None:
        self._server.lose(loss)


TARGETS: dict[str, Callable[[pytest.FixtureRequest], Subject]] = {"postgres": OnPostgres, "fake": InMemory}


@pytest.fixture(params=TARGETS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return TARGETS[request.param](request)


@pytest.fixture
def target(subject: Subject) -> Iterator[PostgresTarget]:
    target = subject.target()
    yield target
    target.close()


def soon() -> Deadline:
    return Deadline.after(SystemClock(), 2)


def _effect(tx: Transaction, payload: Payload) -> None:
    tx.execute("INSERT INTO history (id, value) VALUES (1, %(value)s)", payload)


def _refuses(tx: Transaction, payload: Payload) -> None:
    _effect(tx, payload)
    raise Refused("conflict", seen=1)


def _breaks(tx: Transaction, payload: Payload) -> None:
    _effect(tx, payload)
    tx.execute("INSERT INTO things VALUES (1, 'poison')")


def _nothing(tx: Transaction, payload: Payload) -> None:
    tx.execute("UPDATE history SET value = 'x' WHERE false")


def _bug(tx: Transaction, payload: Payload) -> None:
    _effect(tx, payload)
    raise KeyError("x")


EFFECT = Handler("note", _effect)


def apply(
    target: PostgresTarget, write: Write, token: int | None = None, handler: Handler = EFFECT
) -> Outcome:
    return target.apply(write, handler, soon(), token)


def test_a_write_is_applied_once_however_often_it_is_tried(subject: Subject, target: PostgresTarget) -> None:
    write = a_write()
    assert apply(target, write) == Applied(duplicate=False)
    assert apply(target, write) == Applied(duplicate=False)  # our own earlier try
    assert apply(target, replace(write, submit_id=uuid4())) == Applied(duplicate=True)  # somebody's repeat
    assert subject.effects() == ["v"]


def test_a_key_with_another_body_is_refused(subject: Subject, target: PostgresTarget) -> None:
    write = a_write()
    apply(target, write)
    other = replace(write, request_hash=b"x" * 32, submit_id=uuid4())
    assert apply(target, other) == Rejected("key_reused")
    assert subject.effects() == ["v"]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (_refuses, Rejected("conflict", detail={"seen": 1})),
        (_breaks, Rejected("23514", "no_poison")),
        (_nothing, Rejected("no_effect")),
    ],
)
def test_what_is_refused_leaves_no_trace(
    subject: Subject,
    target: PostgresTarget,
    handler: Callable[[Transaction, Payload], None],
    expected: Rejected,
) -> None:
    write = a_write()
    assert apply(target, write, handler=Handler("note", handler)) == expected
    assert subject.effects() == []
    assert apply(target, write) == Applied()  # nor does it stand in the way of a mended one
    assert subject.effects() == ["v"]


def test_a_mistake_of_the_handler_holds_its_kind_and_leaves_no_trace(
    subject: Subject, target: PostgresTarget
) -> None:
    outcome = apply(target, a_write(), handler=Handler("note", _bug))
    assert isinstance(outcome, Held)
    assert (outcome.reason, outcome.scope, outcome.alarm) == ("handler:KeyError", Scope.KIND, True)
    assert subject.effects() == []


def test_a_server_that_is_away_is_unavailable_and_back_again(
    subject: Subject, target: PostgresTarget
) -> None:
    write = a_write()
    assert target.probe(soon()) is None
    subject.away()
    outcome = apply(target, write)
    assert isinstance(outcome, Unavailable)
    assert not outcome.maybe_applied
    assert target.probe(soon()) is not None
    subject.back()
    assert target.probe(soon()) is None
    assert apply(target, write) == Applied()
    assert subject.effects() == ["v"]


def test_only_the_newest_drainer_may_apply_or_fence(subject: Subject, target: PostgresTarget) -> None:
    target.announce(1, soon())
    assert apply(target, a_write(), token=1) == Applied()
    target.announce(2, soon())
    with pytest.raises(LeaseLost):
        apply(target, a_write(), token=1)
    assert target.fence(a_write(), 1, soon()) is Fence.STALE_DRAINER
    target.announce(1, soon())  # a late announcement takes nothing back
    with pytest.raises(LeaseLost):
        apply(target, a_write(), token=1)
    assert apply(target, a_write(), token=2) == Applied()
    assert apply(target, a_write()) == Applied()  # the desk needs no token
    assert subject.effects() == ["v"] * 3


def test_a_drainer_nobody_announced_may_not_apply(subject: Subject, target: PostgresTarget) -> None:
    with pytest.raises(LeaseLost):
        apply(target, a_write(), token=7)
    assert subject.effects() == []


def test_the_drainers_of_two_journals_do_not_disturb_each_other(
    subject: Subject, target: PostgresTarget
) -> None:
    elsewhere = subject.target(OTHER_JOURNAL)
    target.announce(5, soon())
    elsewhere.announce(1, soon())
    assert apply(elsewhere, a_write(), token=1) == Applied()
    assert apply(target, a_write(), token=5) == Applied()
    elsewhere.close()


def test_a_fenced_write_never_takes_effect(subject: Subject, target: PostgresTarget) -> None:
    target.announce(1, soon())
    write = a_write()
    assert target.fence(write, 1, soon()) is Fence.FENCED
    assert target.fence(write, 1, soon()) is Fence.FENCED
    for late in (write, replace(write, submit_id=uuid4())):
        for token in (None, 1):
            outcome = apply(target, late, token=token)
            assert isinstance(outcome, Held | Rejected)
            assert outcome.reason == "fenced"
    assert subject.effects() == []


def test_the_next_version_takes_a_fence_over_once(subject: Subject, target: PostgresTarget) -> None:
    target.announce(1, soon())
    write = a_write()
    target.fence(write, 1, soon())
    again = replace(write, version=2, submit_id=uuid4())
    assert apply(target, again, token=1) == Applied()
    assert apply(target, again, token=1) == Applied()
    assert apply(target, write) == Applied(duplicate=True)  # the older version comes too late
    assert subject.effects() == ["v"]


def test_an_older_version_does_not_take_a_newer_fence_over(subject: Subject, target: PostgresTarget) -> None:
    target.announce(1, soon())
    write = replace(a_write(), version=3)
    target.fence(write, 1, soon())
    target.fence(replace(write, version=1), 1, soon())
    outcome = apply(target, replace(write, version=3, submit_id=uuid4()), token=1)
    assert isinstance(outcome, Held | Rejected)
    assert apply(target, replace(write, version=4, submit_id=uuid4()), token=1) == Applied()
    assert subject.effects() == ["v"]


def test_a_fence_finds_out_what_stands_already(subject: Subject, target: PostgresTarget) -> None:
    target.announce(1, soon())
    write = a_write()
    apply(target, write)
    assert target.fence(write, 1, soon()) is Fence.APPLIED
    assert target.fence(replace(write, request_hash=b"x" * 32), 1, soon()) is Fence.KEY_REUSED


def test_a_deadline_that_is_over_is_no_effect_or_a_known_one(
    subject: Subject, target: PostgresTarget
) -> None:
    write = a_write()
    outcome = target.apply(write, EFFECT, Deadline.after(SystemClock(), 0), None)
    assert isinstance(outcome, Unavailable | Held)
    assert not outcome.maybe_applied
    assert subject.effects() == []


def test_a_process_without_a_free_connection_holds_the_write_and_blames_nobody(subject: Subject) -> None:
    target = PostgresTarget("postgresql://u@127.0.0.1:1/d", 1, lambda: JOURNAL)
    target._pool._places.acquire()
    outcome = target.apply(a_write(), EFFECT, soon(), None)
    assert isinstance(outcome, Held)
    assert outcome.reason == "pool_exhausted"
    target._pool._places.release()


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_a_lost_commit_is_unknown_and_settled_by_the_next_try(
    subject: Subject, target: PostgresTarget, loss: Loss
) -> None:
    assert apply(target, a_write()) == Applied()
    write = a_write()
    subject.lose(loss)
    outcome = apply(target, write)
    assert isinstance(outcome, Unavailable)
    assert outcome.maybe_applied
    assert len(subject.effects()) == (2 if loss is Loss.AFTER else 1)
    assert apply(target, write) == Applied()
    assert len(subject.effects()) == 2


@pytest.mark.parametrize("what", ["a second attempt", "a fence"])
def test_who_meets_an_open_attempt_of_the_same_write_waits_for_its_end(
    subject: Subject, target: PostgresTarget, what: str
) -> None:
    target.announce(1, soon())
    write, met = a_write(), []

    def meanwhile(tx: Transaction, payload: Payload) -> None:
        _effect(tx, payload)
        deadline = Deadline.after(SystemClock(), 0.5)
        met.append(
            target.fence(write, 1, deadline)
            if what == "a fence"
            else target.apply(write, EFFECT, deadline, 1)
        )

    assert apply(target, write, handler=Handler("note", meanwhile)) == Applied()
    assert isinstance(met[0], Held)
    assert met[0].reason == "55P03"
    assert not met[0].maybe_applied
    assert subject.effects() == ["v"]


def test_an_attempt_that_began_before_the_next_drainer_came_may_end(
    subject: Subject, target: PostgresTarget
) -> None:
    """Its row is locked until then, so the next drainer finds it."""
    target.announce(1, soon())
    write = a_write()

    def overtaken(tx: Transaction, payload: Payload) -> None:
        _effect(tx, payload)
        assert target.announce(2, soon()) == 2

    assert apply(target, write, token=1, handler=Handler("note", overtaken)) == Applied()
    assert apply(target, write, token=2) == Applied()
    assert subject.effects() == ["v"]


def test_a_write_counts_as_direct_until_its_own_journal_drains_it(
    subject: Subject, target: PostgresTarget
) -> None:
    elsewhere = subject.target(OTHER_JOURNAL)
    target.announce(1, soon())
    elsewhere.announce(1, soon())
    write = a_write()

    def direct() -> int:
        return target.read(lambda tx: ledger.direct_writes(tx, JOURNAL), soon())

    apply(target, write)
    assert direct() == 1
    apply(elsewhere, write, token=1)
    assert direct() == 1
    apply(target, write, token=1)
    assert direct() == 0
    elsewhere.close()


def test_the_ledger_can_be_looked_up_by_key_and_by_range(target: PostgresTarget) -> None:
    target.announce(1, soon())
    write, fenced = a_write(), a_write()
    apply(target, write)
    target.fence(fenced, 1, soon())
    found = target.read(lambda tx: ledger.rows_of(tx, [write.id, fenced.id, uuid4()]), soon())
    assert {row.key: row.state for row in found} == {write.id: "applied", fenced.id: "fenced"}
    low, high = UUID(int=write.id.int - 1), UUID(int=write.id.int + 1)
    (row,) = target.read(lambda tx: ledger.rows_between(tx, low, high), soon())
    assert (row.key, row.request_hash, row.kind) == (write.id, write.request_hash, write.kind)


def test_the_formats_of_the_ledger(shop: Shop) -> None:
    """These tables are in people's databases: their columns stay."""
    target = PostgresTarget(shop.dsn, 1, lambda: JOURNAL)
    apply(target, a_write())
    target.close()
    columns = shop.rows(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text"
        " FROM information_schema.columns WHERE table_name LIKE 'robusto%%'"
        " ORDER BY table_name, ordinal_position"
    )
    assert columns == [
        ("robusto_drainer", "journal", "uuid", "NO"),
        ("robusto_drainer", "token", "bigint", "NO"),
        ("robusto_ledger", "key", "uuid", "NO"),
        ("robusto_ledger", "request_hash", "bytea", "NO"),
        ("robusto_ledger", "kind", "text", "NO"),
        ("robusto_ledger", "version", "integer", "NO"),
        ("robusto_ledger", "state", "text", "NO"),
        ("robusto_ledger", "submit_id", "uuid", "NO"),
        ("robusto_ledger", "journal", "uuid", "NO"),
        ("robusto_ledger", "direct", "boolean", "NO"),
        ("robusto_ledger", "accepted_at", "timestamp with time zone", "NO"),
        ("robusto_ledger", "applied_at", "timestamp with time zone", "NO"),
    ]
