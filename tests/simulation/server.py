"""The PostgreSQL of the simulation: its business, and when it loses what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from robusto.deadline import Deadline
from robusto.postgres.connection import Connection
from robusto.testing import FakeServer, Loss, Session, SqlError
from robusto.testing.values import Effect, Params
from tests.simulation.ports import SimClock
from tests.simulation.scheduler import Scheduler

#: Seconds between two looks of whoever waits for a lock or an answer.
_LOOK = 0.04


class Effects(list[Effect]):
    """What is committed."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        #: The step of each write's first commit, which a restored server may have forgotten.
        self.first: dict[tuple[str, str], int] = {}

    def __iadd__(self, more: Iterable[Effect]) -> Effects:  # type: ignore[misc, override]
        """Called when a transaction commits."""
        for effect in more:
            self.append(effect)
            assert isinstance(effect.params, dict)
            name = effect.params["key"], effect.params["body"]
            self.first.setdefault(name, self._scheduler.steps)
            self._scheduler.note(f"EFFECT {'='.join(name)}")
        return self


@dataclass
class Moods:
    """How often, for now, the server does what nobody wants."""

    #: A COMMIT is lost like this.
    losses: dict[Loss, float] = field(default_factory=dict)
    #: A handler's statement is answered with this code.
    codes: dict[str, float] = field(default_factory=dict)
    #: The connection breaks at a statement before COMMIT.
    broken: float = 0.0
    #: Kinds whose table this server's role may not write.
    forbidden: set[str] = field(default_factory=set)


class SimServer(FakeServer):
    """Every statement is a step; the business checks poison, parents and rows in use."""

    look_seconds = _LOOK

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(self._business, SimClock(scheduler))
        self.scheduler = scheduler
        self.moods = Moods()
        self.mended: set[str] = set()
        self.counts: dict[str, int] = {}
        self.effects = self.log = Effects(scheduler)

    def connect(self, conninfo: str, deadline: Deadline) -> Connection:
        connection = super().connect(conninfo, deadline)
        task = self.scheduler.current
        if task is not None:
            task.process.leaves.append(connection.pgconn.finish)
        return connection

    def reached(self, point: str, session: Session | None) -> None:
        self.scheduler.point(f"pg {' '.join(point.split()[:2])}")
        if session is not None and point != "ROLLBACK" and self._happens(self.moods.broken, "broken"):
            session.end()

    def next_loss(self, session: Session) -> Loss | None:
        for loss, share in self.moods.losses.items():
            if self._happens(share, f"commit {loss.name.lower()}"):
                return loss
        return super().next_loss(session)

    def next_failure(self) -> str | None:
        for code, share in self.moods.codes.items():
            if self._happens(share, code):
                return code
        return super().next_failure()

    def _happens(self, share: float, name: str) -> bool:
        if not share or self.scheduler.random.random() >= share:
            return False
        self.counts[name] = self.counts.get(name, 0) + 1
        self.scheduler.note(f"fault: {name}")
        return True

    def has(self, key: str) -> bool:
        """Whether the effect of this key is committed."""
        return any(_params(effect)["key"] == key for effect in self.log)

    def _business(self, session: Session, sql: str, params: Params) -> int:
        given = params
        assert isinstance(given, dict)
        if given["kind"] in self.moods.forbidden:
            raise SqlError("42501")
        if given["row"]:
            session.lock(given["row"])
        if given["poison"] and given["key"] not in self.mended:
            raise SqlError("23514", "no_poison")
        if given["parent"] and not self.has(given["parent"]):
            raise SqlError("23503", "has_parent")
        return 1


def _params(effect: Effect) -> dict[str, Any]:
    assert isinstance(effect.params, dict)
    return effect.params
