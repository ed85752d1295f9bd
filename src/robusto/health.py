"""Can a write be kept here now? Found out by writing, and shared between the processes of the host."""

from __future__ import annotations

from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalError
from robusto.events import Events
from robusto.journal.sqlite import SqliteJournal
from robusto.shared import SharedRecord

#: Seconds for which an answer stands; seconds that the try may take.
_FRESH, _SECONDS = 2.0, 1.0


class JournalHealth:
    """The journal's fitness. Every process may ask; one try every two seconds serves all."""

    def __init__(self, record: SharedRecord, journal: SqliteJournal, events: Events, clock: Clock) -> None:
        self._record = record
        self._journal = journal
        self._events = events
        self._clock = clock

    def problem(self) -> str:
        """Why no write can be kept, or "" when it can; tries again when the last answer is old."""
        record = self._record.read()
        if record is not None and abs(self._clock.monotonic() - record["at"]) < _FRESH:
            return str(record["problem"])
        return self.check()

    def check(self) -> str:
        """Try to write now."""
        try:
            self._journal.try_to_write(Deadline.after(self._clock, _SECONDS))
            problem = ""
        except JournalError as error:
            problem = str(error)[:200]
        before = self._record.read()
        at = self._clock.monotonic()
        self._record.update(lambda _: {"at": at, "problem": problem})
        if problem and (before is None or before["problem"] != problem):
            self._events.emit("journal_failed", problem=problem)
        elif not problem and before is not None and before["problem"]:
            self._events.emit("journal_recovered")
        return problem

    def check_when_due(self) -> None:
        """A chore of the worker."""
        self.problem()
