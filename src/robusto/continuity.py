"""Is this still the PostgreSQL that has everything? Known to every process of the host (rule 10).

    well ──a server that has forgotten something──▶ set_back ──put back──▶ offering ──tried──▶ well

Every new connection is compared with the last server that had everything, so that a restore which
nobody noticed as an outage lets no direct write in. While it is set back no connection is admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from robusto.clock import Clock
from robusto.events import Events
from robusto.postgres.lineage import Has, Lineage
from robusto.shared import Record, SharedRecord

#: Comparisons that one connection makes while others settle the same question, which takes microseconds.
_TRIES = 5


class Phase(Enum):
    """Where the host stands with its PostgreSQL."""

    WELL = "well"
    SET_BACK = "set_back"
    OFFERING = "offering"  # what was forgotten is in the queue again and goes first


@dataclass(frozen=True, slots=True)
class Incident:
    """PostgreSQL was set back, and not everything was offered again yet.

    `waiting`: how many writes wait for an operator's word. The counts are of what was put back so
    far: direct writes, writes that had been drained, and fences that were set again.
    """

    phase: Phase
    reason: str
    since: datetime
    waiting: int
    allowed: bool
    direct: int
    drained: int
    fences: int
    #: Tells whether the record was changed since it was read.
    epoch: int


class Continuity:
    """The host's shared memory of the last server that had everything."""

    def __init__(
        self, record: SharedRecord, newest: Callable[[], Sequence[UUID]], events: Events, clock: Clock
    ) -> None:
        """`newest` gives the keys that took effect last, as this host remembers them."""
        self._record = record
        self._newest = newest
        self._events = events
        self._clock = clock
        self._confirmed: frozenset[UUID] = frozenset()

    # -- who may be written to -------------------------------------------------------------------

    def key(self) -> str | None:
        """The key of the lineage that has everything; None while there is none."""
        now = self._record.read()
        return None if now is None or _phase(now) is Phase.SET_BACK else str(now["key"])

    def admits(self, seen: Lineage, has: Has) -> bool:
        """Whether a new connection to this server may be used. Raises what `has` raises."""
        for _ in range(_TRIES):
            now = self._record.read()
            if now is not None and _phase(now) is Phase.SET_BACK:
                return False
            if now is not None and now["key"] == seen.key:
                return True
            # A backup holds what was committed up to some moment: if the newest is there, all is.
            reason = _forgotten(now, seen) or ("" if has(self._newest()) else "newest_missing")
            if self._settle(now, seen, reason):
                return not reason
        return False

    def confirms(self, seen: Lineage, has: Has) -> bool:
        """Whether it still has everything, also what was answered since the last look.

        A process that stood still between a commit and its note is found out like this.
        """
        if not self.admits(seen, has):
            return False
        before, newest = self._record.read(), frozenset(self._newest())
        if not has(list(newest - self._confirmed)):
            self._settle(before, seen, "newest_missing")
            return False
        self._confirmed = newest
        self._record.update(lambda now: _moved_on(now, seen))
        return True

    def _settle(self, before: Record | None, seen: Lineage, reason: str) -> bool:
        """Take this server over, or declare it set back; false when somebody else was faster."""
        mine = []

        def change(now: Record | None) -> Record | None:
            mine.append(_epoch(now) == _epoch(before))
            if not mine[-1]:
                return None
            if reason:
                return _declared(now, reason, self._clock.wall())
            return _taken_over(now, seen)

        self._record.update(change)
        if mine[-1] and reason:
            self._events.emit("server_set_back", reason=reason)
        return mine[-1]

    # -- what is done about it -------------------------------------------------------------------

    def incident(self) -> Incident | None:
        """What is to be put right, or None when nothing is."""
        now = self._record.read()
        if now is None or _phase(now) is Phase.WELL:
            return None
        return Incident(
            phase=_phase(now), reason=now["reason"], since=datetime.fromisoformat(now["since"]),
            waiting=now["waiting"], allowed=now["allowed"], direct=now["direct"], drained=now["drained"],
            fences=now["fences"], epoch=_epoch(now),
        )  # fmt: skip

    def wait(self, missing: int) -> None:
        """So many writes wait for an operator's word."""
        self._while(Phase.SET_BACK, lambda now: now | {"waiting": missing})

    def allow(self, *, who: str) -> bool:
        """An operator says: offer them again. False when nothing waits for that."""
        incident = self.incident()
        if incident is None or incident.phase is not Phase.SET_BACK or incident.allowed:
            return False
        self._while(Phase.SET_BACK, lambda now: now | {"allowed": True, "waiting": 0})
        self._events.emit("reoffer_allowed", who=who, count=incident.waiting)
        return True

    def done(self, *, direct: int = 0, drained: int = 0, fences: int = 0) -> None:
        """So many more were put back."""
        more = {"direct": direct, "drained": drained, "fences": fences}
        self._while(Phase.SET_BACK, lambda now: now | {name: now[name] + n for name, n in more.items()})

    def take_over(self, seen: Lineage, incident: Incident) -> bool:
        """This server has everything, or the queue has; false when that was overtaken by events."""

        def change(now: Record | None) -> Record | None:
            if now is None or _epoch(now) != incident.epoch:
                return None
            return _taken_over(now, seen) | {"phase": Phase.OFFERING.value}

        stands = self._record.update(change)
        return stands is not None and _phase(stands) is Phase.OFFERING and stands["key"] == seen.key

    def finish(self) -> None:
        """Everything was offered again: the direct path may open."""
        incident = self.incident()
        if incident is not None and incident.phase is Phase.OFFERING:
            self._while(
                Phase.OFFERING, lambda now: now | {"phase": Phase.WELL.value, "epoch": _epoch(now) + 1}
            )
            self._events.emit(
                "reoffered", direct=incident.direct, drained=incident.drained, fences=incident.fences
            )

    def _while(self, phase: Phase, change: Callable[[Record], Record]) -> None:
        self._record.update(lambda now: change(now) if now is not None and _phase(now) is phase else None)


def _phase(now: Record) -> Phase:
    return Phase(now["phase"])


def _epoch(now: Record | None) -> int:
    return 0 if now is None else int(now["epoch"])


def _forgotten(now: Record | None, seen: Lineage) -> str:
    """What says by itself that this is not the server that we knew, or not as we knew it."""
    if now is None:
        return ""
    if _differ(now["system"], seen.system):
        return "other_system"
    if _differ(now["timeline"], seen.timeline):
        return "other_timeline"
    if now["position"] is not None and seen.position is not None and seen.position < now["position"]:
        return "earlier_position"
    return ""


def _differ(known: Any, seen: Any) -> bool:
    return known is not None and seen is not None and known != seen


def _declared(now: Record | None, reason: str, at: datetime) -> Record:
    base = now or {"key": "", "system": None, "timeline": None, "position": None}
    return base | {
        "phase": Phase.SET_BACK.value, "reason": reason, "since": at.isoformat(), "epoch": _epoch(now) + 1,
        "waiting": 0, "allowed": False, "direct": 0, "drained": 0, "fences": 0,
    }  # fmt: skip


def _taken_over(now: Record | None, seen: Lineage) -> Record:
    """The server's lineage in the record; the phase stays, or is well on a first start."""
    return (now or {"phase": Phase.WELL.value}) | {
        "key": seen.key, "system": seen.system, "timeline": seen.timeline, "position": seen.position,
        "epoch": _epoch(now) + 1,
    }  # fmt: skip


def _moved_on(now: Record | None, seen: Lineage) -> Record | None:
    """The same server, further on."""
    if now is None or now["key"] != seen.key or seen.position is None or now["position"] is None:
        return None
    return now | {"position": max(now["position"], seen.position)}
