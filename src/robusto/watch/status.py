"""What is the state of things: from local state alone, so that it answers whatever is down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from robusto.books import Books
from robusto.breaker import Breaker, BreakerState, Finding
from robusto.clock import Clock
from robusto.continuity import Continuity, Incident
from robusto.errors import JournalError
from robusto.failures import NOT_FLUSHED
from robusto.health import JournalHealth
from robusto.journal.entry import Counts
from robusto.journal.sqlite import SqliteJournal
from robusto.postgres.lineage import SET_BACK
from robusto.watch.backlog import Backlog

#: Seconds without any look at PostgreSQL after which nobody is working here.
_STALE = 15.0
#: Seconds that something may wait while PostgreSQL is well before the drain counts as stalled.
_STALLED = 60.0


@dataclass(frozen=True, slots=True)
class Status:
    """The verdict and its figures. A figure that cannot be read is None, and None is not zero.

    `code` names the verdict's sentence, `cause` the refusal or event behind it; `since` is when the
    verdict's fact began. `parked` are pending writes that wait behind a held or quarantined one;
    without `parked_exact` there may be more of them. `missing` are writes that PostgreSQL has forgotten
    and an operator has to let go.
    """

    level: str
    code: str
    cause: str
    reason: str
    database_connected: bool
    breaker: str
    last_check: datetime
    since: datetime | None
    journal_writable: bool
    pending: int | None = None
    held: int | None = None
    parked: int | None = None
    parked_exact: bool = True
    quarantined: int | None = None
    discarded: int | None = None
    stored: int | None = None
    accepted: int | None = None
    stored_as_of: datetime | None = None
    oldest_pending_seconds: float | None = None
    balanced: bool | None = None
    missing: int = 0

    def as_json(self) -> dict[str, Any]:
        """The body of `/sistema/status`."""
        return {
            "database_connected": self.database_connected,
            "fallback_records": self.pending,
            "last_check": self.last_check.isoformat(),
            "level": self.level,
            "code": self.code,
            "breaker": self.breaker,
            "oldest_pending_seconds": self.oldest_pending_seconds,
            "accepted": self.accepted,
            "stored": self.stored,
            "stored_as_of": self.stored_as_of.isoformat() if self.stored_as_of else None,
            "pending": self.pending,
            "held": self.held,
            "missing": self.missing,
            "parked": self.parked,
            "quarantined": self.quarantined,
            "discarded": self.discarded,
            "since": self.since.isoformat() if self.since else None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The worst that is the case, and since when."""

    level: str
    code: str
    reason: str
    cause: str = ""
    since: datetime | None = None


class Watch:
    """Computes the status whenever somebody asks."""

    def __init__(
        self,
        journal: SqliteJournal,
        backlog: Backlog,
        breaker: Breaker,
        books: Books,
        health: JournalHealth,
        continuity: Continuity,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._backlog = backlog
        self._breaker = breaker
        self._books = books
        self._health = health
        self._continuity = continuity
        self._clock = clock

    def status(self) -> Status:
        """The status now. Never raises and never waits for PostgreSQL."""
        finding = self._breaker.finding()
        try:
            counts = self._journal.counts()
            oldest = self._journal.oldest_pending()
            parked = self._backlog.parked()
            incident = self._continuity.incident()
            verdict = self._verdict(finding, incident, counts, oldest)
        except JournalError as error:
            return self._blind(finding, error)
        last = self._books.last()
        return Status(
            level=verdict.level,
            code=verdict.code,
            reason=verdict.reason,
            cause=verdict.cause,
            since=verdict.since,
            journal_writable=verdict.code != "journal_failed",
            pending=counts.unfinished,
            held=counts.held,
            parked=len(parked.behind),
            parked_exact=parked.complete,
            quarantined=counts.quarantined,
            discarded=counts.discarded,
            stored=None if last is None else last.direct + counts.applied + counts.pruned,
            accepted=None if last is None else last.direct + counts.last_seq,
            stored_as_of=None if last is None else last.as_of,
            oldest_pending_seconds=oldest,
            balanced=counts.balanced,
            missing=0 if incident is None else incident.waiting,
            **_connection(finding, self._clock),
        )

    def _blind(self, finding: Finding | None, error: JournalError) -> Status:
        return Status(
            level="red", code="journal_unreadable", reason=f"the journal cannot be read: {error}",
            cause=str(error), since=None, journal_writable=False, **_connection(finding, self._clock),
        )  # fmt: skip

    def _verdict(
        self, finding: Finding | None, incident: Incident | None, counts: Counts, oldest: float | None
    ) -> _Verdict:
        """The first that applies; the worst come first."""
        problem = self._health.problem()
        if problem:
            return _Verdict("red", "journal_failed", f"no write could be kept: {problem}", problem)
        if not counts.balanced:
            return _Verdict("red", "unbalanced", "the journal's figures do not add up")
        if incident is not None and incident.waiting:
            reason = (
                f"PostgreSQL was set back ({incident.reason}): {incident.waiting} writes wait for an operator"
            )
            return _Verdict("red", "set_back_waits", reason, incident.reason, incident.since)
        return self._alarm(finding, counts, oldest) or self._notice(finding, incident, counts, oldest)

    def _alarm(self, finding: Finding | None, counts: Counts, oldest: float | None) -> _Verdict | None:
        """What does not mend itself."""
        if finding is not None and finding.alarm:
            reason = f"PostgreSQL refuses by configuration: {finding.reason}"
            return _Verdict("red", "configuration", reason, finding.reason, finding.since)
        if finding is not None and finding.reason == NOT_FLUSHED:
            reason = "PostgreSQL does not flush what it commits (fsync = off): a power cut may lose it"
            return _Verdict("red", "not_flushed", reason, finding.reason)
        alarms = self._journal.alarming_reasons() if counts.held else []
        if alarms:
            reason = "entries are held until a person acts: " + ", ".join(alarms)
            return _Verdict("red", "held", reason, alarms[0], self._journal.set_aside_since("held"))
        if finding is None:
            return None
        if abs((self._clock.wall() - finding.checked).total_seconds()) > _STALE:
            reason = "no worker has looked at PostgreSQL lately"
            return _Verdict("red", "silent", reason, since=finding.checked)
        well = finding.state is BreakerState.CLOSED
        if well and (oldest or 0) > _STALLED and counts.pending > 0 and counts.quarantined == 0:
            return _Verdict("red", "stalled", "the drain is stalled", since=self._ago(oldest))
        return None

    def _notice(
        self, finding: Finding | None, incident: Incident | None, counts: Counts, oldest: float | None
    ) -> _Verdict:
        """What mends itself, what waits for a person, and when all is well."""
        if finding is None:
            return _Verdict("yellow", "never_looked", "PostgreSQL cannot be reached: nobody has looked yet")
        if incident is not None and finding.reason in ("", SET_BACK):
            reason = f"PostgreSQL was set back ({incident.reason}): what it lacks is offered again"
            return _Verdict("yellow", "set_back", reason, incident.reason, incident.since)
        if finding.state is not BreakerState.CLOSED and finding.reason:
            reason = f"PostgreSQL cannot be reached: {finding.reason}"
            return _Verdict("yellow", "away", reason, finding.reason, finding.since)
        if finding.state is not BreakerState.CLOSED:
            return _Verdict("yellow", "coming_back", "PostgreSQL is coming back", since=finding.since)
        if counts.quarantined > 0:
            reason = f"{counts.quarantined} writes wait for a person"
            since = self._journal.set_aside_since("quarantined")
            return _Verdict("yellow", "quarantine", reason, since=since)
        if counts.unfinished > 0:
            reason = f"{counts.unfinished} writes are pending"
            return _Verdict("yellow", "pending", reason, since=self._ago(oldest))
        return _Verdict("green", "well", "writes go directly to PostgreSQL", since=finding.since)

    def _ago(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self._clock.wall() - timedelta(seconds=seconds)


def _connection(finding: Finding | None, clock: Clock) -> dict[str, Any]:
    return {
        "database_connected": finding is not None and finding.state is BreakerState.CLOSED,
        "breaker": BreakerState.CLOSED.value if finding is None else finding.state.value,
        "last_check": clock.wall() if finding is None else finding.checked,
    }
