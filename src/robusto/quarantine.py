"""6. What PostgreSQL refused and a person has to look at: list, show, requeue, discard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from robusto.deadline import Deadline
from robusto.errors import LeaseLost, RobustoError
from robusto.events import Events
from robusto.journal.entry import Entry, EntryState, Opened
from robusto.journal.sqlite import SqliteJournal
from robusto.outcome import Applied, Outcome
from robusto.postgres.ledger import Fence
from robusto.postgres.target import PostgresTarget
from robusto.write import Write


class NotInQuarantine(RobustoError):
    """The write is not in quarantine (any more)."""


class Quarantine:
    """The operator's verbs, each with a reason, each on record."""

    def __init__(self, journal: SqliteJournal, target: PostgresTarget, events: Events) -> None:
        self._journal = journal
        self._target = target
        self._events = events

    def put(self, opened: Opened, reason: str, token: int, deadline: Deadline) -> Outcome | None:
        """Set an entry aside for a person, once no earlier attempt of it can take effect any more.

        Returns None when that is done, Applied when an unanswered attempt had been committed after
        all, else why it could not be. Raises LeaseLost.
        """
        entry = opened.entry
        fenced = self._target.fence(opened.write or shell_of(entry), token, deadline)
        match fenced:
            case Fence.STALE_DRAINER:
                raise LeaseLost("a newer drainer has announced itself to PostgreSQL")
            case Fence.APPLIED:
                self._journal.mark(entry, EntryState.APPLIED, token)
                return Applied()
            case Fence.FENCED | Fence.KEY_REUSED:
                self._journal.mark(entry, EntryState.QUARANTINED, token, reason=reason)
                self._events.emit("write_quarantined", write=str(entry.id), kind=entry.kind, reason=reason)
            case outcome:
                return outcome
        return None

    def list(self) -> Iterator[Entry]:
        """Every quarantined entry, in order, without its payload."""
        return (each.entry for each in self._journal.unfinished() if _quarantined(each.entry))

    def show(self, id: UUID) -> Opened:
        """One quarantined entry with its payload. Raises NotInQuarantine."""
        opened = self._journal.open_entry(id)
        if opened is None or not _quarantined(opened.entry):
            raise NotInQuarantine(f"{id} is not in quarantine")
        return opened

    def reveal(self, id: UUID, *, who: str) -> None:
        """Put on record that somebody is shown the payload unmasked. Raises NotInQuarantine."""
        self._journal.reveal(self.show(id).entry, who=who)
        self._events.emit("write_revealed", write=str(id), who=who)

    def requeue(self, id: UUID, *, who: str, reason: str) -> None:
        """Send it again as it is, as the next version. Raises NotInQuarantine, JournalUnreadable."""
        self._journal.requeue(self.show(id), who=who, reason=_given(reason))
        self._events.emit("write_requeued", write=str(id), who=who)

    def discard(self, id: UUID, *, who: str, reason: str) -> None:
        """Give it up; its fence stays, so that it can never take effect. Raises NotInQuarantine."""
        self._journal.discard(self.show(id).entry, who=who, reason=_given(reason))
        self._events.emit("write_discarded", write=str(id), who=who)


def _given(reason: str) -> str:
    if not reason.strip():
        raise ValueError("a reason is needed: it goes on record")
    return reason.strip()


def _quarantined(entry: Entry) -> bool:
    return entry.state is EntryState.QUARANTINED


def shell_of(entry: Entry) -> Write:
    """What a fence needs of an entry: no seal has to be opened for it."""
    return Write(
        id=entry.id, kind=entry.kind, payload={}, request_hash=entry.request_hash, submit_id=UUID(int=0),
        version=entry.version, ordering=entry.ordering, after=entry.after,
        accepted_at=entry.accepted_at if entry.accepted_at.tzinfo else datetime.now(UTC),
    )  # fmt: skip
