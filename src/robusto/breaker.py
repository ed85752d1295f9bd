"""2a. May we try: closed, open, half_open, known to every process of the host.

People's requests never probe. While it is not closed they go to the journal at once; the worker
asks PostgreSQL, drains while half open, and closes it when PostgreSQL has stayed well for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from robusto.clock import Clock
from robusto.events import Events
from robusto.shared import Record, SharedRecord

#: Seconds that PostgreSQL has to stay well before requests go to it again, doubled with every
#: relapse within the memory, so that a flapping server costs each desk one deadline and not twenty;
#: at most so long that the return is shown within 5 s (contract §4).
_SHORTEST_HOLD, _LONGEST_HOLD, _MEMORY = 0.5, 4.0, 60.0


class BreakerState(Enum):
    """The field's three words."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Finding:
    """What this host knows about PostgreSQL: the state, since when, why, and when it last looked."""

    state: BreakerState
    since: datetime
    reason: str
    alarm: bool
    checked: datetime


class Breaker:
    """The host's shared finding about PostgreSQL."""

    def __init__(self, record: SharedRecord, events: Events, clock: Clock) -> None:
        self._record = record
        self._events = events
        self._clock = clock

    def allows_direct(self) -> bool:
        """Whether a request may try PostgreSQL: a host that never looked may."""
        record = self._record.read()
        return record is None or record["state"] == BreakerState.CLOSED.value

    def finding(self) -> Finding | None:
        """The finding, or None before anybody has looked."""
        record = self._record.read()
        if record is None:
            return None
        return Finding(
            state=BreakerState(record["state"]),
            since=datetime.fromisoformat(record["since"]),
            reason=record["reason"],
            alarm=record["alarm"],
            checked=datetime.fromisoformat(record["checked"]),
        )

    def failed(self, reason: str, *, alarm: bool = False) -> None:
        """PostgreSQL as a whole did not take a write or answer a probe."""
        news = []

        def change(now: Record | None) -> Record:
            relapse = now is None or now["state"] != BreakerState.OPEN.value
            news.append(relapse)
            record = self._moved(now, BreakerState.OPEN) | {"reason": reason, "alarm": alarm}
            if relapse:
                record["relapses"] = self._relapses(now) + 1
                record["opened"] = self._clock.monotonic()
            return record

        self._record.update(change)
        if news[-1]:
            self._events.emit("breaker_opened", reason=reason, alarm=alarm)

    def answered(self, warning: str = "", *, may_close: bool = True) -> None:
        """PostgreSQL answered the worker: a step towards closed, or half open at most.

        warning: what is wrong all the same.
        """
        news = []

        def change(now: Record | None) -> Record:
            state = _next_state(now, self._clock.monotonic())
            if state is BreakerState.CLOSED and not may_close:
                state = BreakerState.HALF_OPEN
            news.append(now is not None and now["state"] != state.value)
            return self._moved(now, state) | {"reason": warning}

        stands = self._record.update(change)
        if news[-1] and stands is not None:
            self._events.emit("breaker_moved", state=stands["state"])

    def _relapses(self, now: Record | None) -> int:
        if now is None or abs(self._clock.monotonic() - now["opened"]) > _MEMORY:
            return 0
        return int(now["relapses"])

    def _moved(self, now: Record | None, state: BreakerState) -> Record:
        """The record in this state: since when is kept while the state stays."""
        wall, monotonic = self._clock.wall().isoformat(), self._clock.monotonic()
        record = now or {"state": "", "relapses": 0, "opened": monotonic - 2 * _MEMORY}
        if record["state"] != state.value:
            record = record | {"state": state.value, "since": wall, "entered": monotonic}
        return record | {"checked": wall, "reason": "", "alarm": False}


def _next_state(now: Record | None, monotonic: float) -> BreakerState:
    """Open → half open at the first answer; half open → closed when it has held."""
    if now is None or now["state"] == BreakerState.CLOSED.value:
        return BreakerState.CLOSED
    if now["state"] == BreakerState.OPEN.value:
        return BreakerState.HALF_OPEN
    hold = min(_LONGEST_HOLD, _SHORTEST_HOLD * 2 ** max(0, int(now["relapses"]) - 1))
    well = abs(monotonic - now["entered"]) >= hold  # abs: the host may have rebooted since
    return BreakerState.CLOSED if well else BreakerState.HALF_OPEN
