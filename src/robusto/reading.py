"""One guarded query: PostgreSQL inside the request's deadline, or a clear no at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from robusto.breaker import Breaker
from robusto.deadline import Deadline
from robusto.errors import DatabaseUnavailable
from robusto.handlers import Transaction
from robusto.postgres.target import PostgresTarget

T = TypeVar("T")

#: Part of the deadline: whoever reads has a local copy to fall back on, and a page to draw from it.
_SHARE = 0.5


class Reading:
    """Reads that never make a request wait for a PostgreSQL that is known to be away."""

    def __init__(self, target: PostgresTarget, breaker: Breaker) -> None:
        self._target = target
        self._breaker = breaker

    def read(self, work: Callable[[Transaction], T], deadline: Deadline) -> T:
        """Run `work` in a read-only transaction, in half of what is left of the deadline.

        Raises DatabaseUnavailable: use the local copy then.
        """
        if not self._breaker.allows_direct():
            raise DatabaseUnavailable("breaker_open", outage=True)
        try:
            return self._target.read(work, deadline.at_most(_SHARE * deadline.remaining()))
        except DatabaseUnavailable as error:
            if error.outage:
                self._breaker.failed(error.reason, alarm=error.alarm)
            raise
