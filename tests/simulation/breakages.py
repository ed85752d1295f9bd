"""The engine, broken on purpose: each of these must be found, or the simulation shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from robusto import delivery
from robusto.journal import rows
from robusto.journal.looking import Looking
from robusto.lease import Lease
from robusto.order import Blocked
from robusto.outcome import Applied
from robusto.postgres import target
from robusto.postgres.ledger import Fence
from robusto.postgres.target import PostgresTarget
from robusto.submit import Submit
from robusto.testing import ledger
from robusto.write import Receipt, WriteState

Patches = list[tuple[Any, str, Any]]


def _no_fence() -> Patches:
    """A write is put before a person while an earlier attempt, or another host, may still apply it."""
    return [(PostgresTarget, "fence", lambda *_: Fence.FENCED)]


def _lease_without_token() -> Patches:
    """Who once had the turn goes on working: neither the journal nor PostgreSQL asks for the token."""
    return [
        (Lease, "renew", lambda self: True),
        (rows, "check_token", lambda *_: None),
        (ledger, "_drains", lambda *_: True),
    ]


def _cached_backlog() -> Patches:
    """A process that saw nothing in the way once does not look again for a while."""
    real = Looking.waits_behind

    def cached(self: Any, digests: tuple[bytes, ...]) -> bool:
        now = self._clock.monotonic()
        if now < getattr(self, "_nothing_until", 0.0):
            return False
        found = real(self, digests)
        self._nothing_until = 0.0 if found else now + 1.0
        return found

    return [(Looking, "waits_behind", cached)]


def _parking_that_is_not_transitive() -> Patches:
    """What waits behind something does not make others wait."""
    real = Blocked.add

    def add(self: Blocked, entry: Any) -> None:
        if not self.stops(entry):
            real(self, entry)

    return [(Blocked, "add", add)]


def _refused_although_unknown() -> Patches:
    """An attempt that was never answered does not stop a refusal."""
    return [(delivery, "_with_taint", lambda outcome: outcome)]


def _answer_before_the_commit() -> Patches:
    """The person is told before PostgreSQL was."""
    return [(target, "commit", lambda connection: connection.execute("ROLLBACK"))]


def _unknown_taken_for_stored() -> Patches:
    """A COMMIT without an answer is taken for a success."""
    real = PostgresTarget.apply

    def apply(*args: Any) -> Any:
        outcome = real(*args)
        return Applied() if getattr(outcome, "maybe_applied", False) else outcome

    return [(PostgresTarget, "apply", apply)]


def _duplicates_not_compared() -> Patches:
    """A key that came before is the same write, whatever is in it."""
    return [(Submit, "_answer", _stored_anyway)]


def _stored_anyway(self: Submit, write: Any, entry: Any) -> Any:
    return Receipt(write.key, write.id, WriteState.STORED, duplicate=True)


BREAKAGES: dict[str, Callable[[], Patches]] = {
    "no fence": _no_fence,
    "lease without token": _lease_without_token,
    "backlog cached": _cached_backlog,
    "parking not transitive": _parking_that_is_not_transitive,
    "refused although unknown": _refused_although_unknown,
    "answer before commit": _answer_before_the_commit,
    "unknown taken for stored": _unknown_taken_for_stored,
    "duplicates not compared": _duplicates_not_compared,
}


@contextmanager
def broken(name: str) -> Iterator[None]:
    """The engine with this breakage, during the block."""
    patches = BREAKAGES[name]()
    before = [(where, attribute, getattr(where, attribute)) for where, attribute, _ in patches]
    for where, attribute, value in patches:
        setattr(where, attribute, value)
    try:
        yield
    finally:
        for where, attribute, value in before:
            setattr(where, attribute, value)
