"""What is the state of things: from local state alone, so that it answers whatever is down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from robusto.books import Books
from robusto.breaker import Breaker, BreakerState, Finding
from robusto.clock import Clock
from robusto.errors import JournalError
from robusto.health import JournalHealth
from robusto.journal.entry import Counts
from robusto.journal.sqlite import SqliteJournal

#: Seconds without any look at PostgreSQL after which nobody is working here.
_STALE = 15.0
#: Seconds that something may wait while PostgreSQL is well before the drain counts as stalled.
_STALLED = 60.0


@dataclass(frozen=True, slots=True)
class Status:
    """The verdict and its figures. A figure that cannot be read is None, and None is not zero."""

    level: str
    reason: str
    database_connected: bool
    breaker: str
    last_check: datetime
    since: datetime | None
    journal_writable: bool
    pending: int | None = None
    held: int | None = None
    quarantined: int | None = None
    discarded: int | None = None
    stored: int | None = None
    accepted: int | None = None
    stored_as_of: datetime | None = None
    oldest_pending_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The body of `/sistema/status`."""
        return {
            "database_connected": self.database_connected,
            "fallback_records": self.pending,
            "last_check": self.last_check.isoformat(),
            "level": self.level,
            "breaker": self.breaker,
            "oldest_pending_seconds": self.oldest_pending_seconds,
            "accepted": self.accepted,
            "stored": self.stored,
            "stored_as_of": self.stored_as_of.isoformat() if self.stored_as_of else None,
            "pending": self.pending,
            "held": self.held,
            "quarantined": self.quarantined,
            "discarded": self.discarded,
            "since": self.since.isoformat() if self.since else None,
            "reason": self.reason,
        }


class Watch:
    """Computes the status whenever somebody asks."""

    def __init__(
        self,
        journal: SqliteJournal,
        breaker: Breaker,
        books: Books,
        health: JournalHealth,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._breaker = breaker
        self._books = books
        self._health = health
        self._clock = clock

    def status(self) -> Status:
        """The status now. Never raises and never waits for PostgreSQL."""
        finding = self._breaker.finding()
        try:
            counts = self._journal.counts()
            oldest = self._journal.oldest_pending()
            alarms = self._journal.alarming_reasons()
        except JournalError as error:
            return self._blind(finding, error)
        problem = self._health.problem()
        level, reason = self._verdict(finding, counts, oldest, alarms, problem)
        last = self._books.last()
        return Status(
            level=level,
            reason=reason,
            journal_writable=not problem,
            pending=counts.unfinished,
            held=counts.held,
            quarantined=counts.quarantined,
            discarded=counts.discarded,
            stored=None if last is None else last.direct + counts.applied + counts.pruned,
            accepted=None if last is None else last.direct + counts.last_seq,
            stored_as_of=None if last is None else last.as_of,
            oldest_pending_seconds=oldest,
            **_connection(finding, self._clock),
        )

    def _blind(self, finding: Finding | None, error: JournalError) -> Status:
        reason = f"the journal cannot be read: {error}"
        return Status(level="red", reason=reason, journal_writable=False, **_connection(finding, self._clock))

    def _verdict(
        self,
        finding: Finding | None,
        counts: Counts,
        oldest: float | None,
        alarms: list[str],
        problem: str,
    ) -> tuple[str, str]:
        """The first line that applies; the worst come first."""
        away = finding is None or finding.state is not BreakerState.CLOSED
        why = "nobody has looked yet" if finding is None else finding.reason
        lines = [
            (bool(problem), "red", f"no write could be kept: {problem}"),
            (not counts.balanced, "red", "the journal's figures do not add up"),
            (finding is not None and finding.alarm, "red", f"PostgreSQL refuses by configuration: {why}"),
            (bool(alarms), "red", "entries are held until a person acts: " + ", ".join(alarms)),
            (self._silent(finding), "red", "no worker has looked at PostgreSQL lately"),
            (not away and (oldest or 0) > _STALLED and counts.pending > 0 and counts.quarantined == 0,
             "red", "the drain is stalled"),
            (away, "yellow", f"PostgreSQL cannot be reached: {why}" if why else "PostgreSQL is coming back"),
            (counts.quarantined > 0, "yellow", f"{counts.quarantined} writes wait for a person"),
            (counts.unfinished > 0, "yellow", f"{counts.unfinished} writes are pending"),
        ]  # fmt: skip
        for applies, level, reason in lines:
            if applies:
                return level, reason
        return "green", "writes go directly to PostgreSQL"

    def _silent(self, finding: Finding | None) -> bool:
        return finding is not None and (self._clock.wall() - finding.checked).total_seconds() > _STALE


def _connection(finding: Finding | None, clock: Clock) -> dict[str, Any]:
    return {
        "database_connected": finding is not None and finding.state is BreakerState.CLOSED,
        "breaker": BreakerState.CLOSED.value if finding is None else finding.state.value,
        "last_check": clock.wall() if finding is None else finding.checked,
        "since": None if finding is None else finding.since,
    }
