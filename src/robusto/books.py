"""The last known figures that only PostgreSQL has: how many writes went to it directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import DatabaseUnavailable
from robusto.postgres import ledger
from robusto.postgres.target import PostgresTarget
from robusto.shared import SharedRecord

#: Seconds between two counts when something was stored, and when nothing was.
_BUSY, _QUIET = 1.0, 60.0
#: A count may take one part in fifty of the worker's time, however long the ledger has grown; but one that
#: a slow network held up says nothing about the next, which is made within a minute all the same.
_SHARE = 50
_COUNT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DirectCount:
    """Direct writes of this host in the ledger, and when they were counted."""

    direct: int
    as_of: datetime


class Books:
    """Counts by key in the ledger while PostgreSQL is well; answers from what was counted last."""

    def __init__(
        self,
        record: SharedRecord,
        target: PostgresTarget,
        journal: Callable[[], UUID],
        movement: Callable[[], object],
        clock: Clock,
    ) -> None:
        """`movement` changes whenever a direct write was stored here, or an entry was applied."""
        self._record = record
        self._target = target
        self._journal = journal
        self._movement = movement
        self._clock = clock
        self._counted = float("-inf")
        self._took = 0.0
        self._movement_then: object = None

    def last(self) -> DirectCount | None:
        """The last known figure; None before the first count."""
        record = self._record.read()
        if record is None:
            return None
        return DirectCount(int(record["direct"]), datetime.fromisoformat(record["as_of"]))

    def moved(self, n: int) -> None:
        """So many direct writes are the journal's from now on."""
        self._record.update(lambda now: None if now is None else now | {"direct": max(0, now["direct"] - n)})

    def count_when_due(self) -> None:
        """A chore of the worker."""
        since = self._clock.monotonic() - self._counted
        movement = self._movement()
        pause = _QUIET if movement == self._movement_then else min(_QUIET, max(_BUSY, _SHARE * self._took))
        if since > pause and self.count():
            self._movement_then = movement

    def count(self) -> bool:
        """Count now; without an answer the last figure stands. Says whether there was one."""
        began, as_of = self._clock.monotonic(), self._clock.wall().isoformat()
        try:
            direct = self._target.read(
                lambda tx: ledger.direct_writes(tx, self._journal()),
                Deadline.after(self._clock, _COUNT_SECONDS),
            )
        except DatabaseUnavailable:
            return False
        self._counted = self._clock.monotonic()
        self._took = self._counted - began
        self._record.update(lambda _: {"direct": direct, "as_of": as_of})
        return True
