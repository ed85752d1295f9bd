"""What the engine raises.

RobustoError
 ├── ConfigError               a setting is wrong; says which and what to do
 ├── WriteRejected             refused, nothing kept, the caller can mend it
 │    └── KeyReused            the same key came before with another body
 ├── NotAccepted               neither stored nor journaled; `maybe_applied` tells nowhere from unknown
 ├── DatabaseUnavailable       a guarded read found no PostgreSQL
 ├── LeaseLost                 another drainer took over; stop at once
     ├── EntryChanged              somebody decided about the entry meanwhile
 └── JournalError              the journal cannot do it; `maybe_written` says if it may be there
      ├── JournalFull          disk full or the size limit reached
      ├── JournalBusy          another process holds it longer than we may wait
      ├── JournalMissing       removed, replaced or moved while its id says that it existed
      └── JournalUnreadable    damaged
           └── MissingKey      unfinished entries are sealed with a key that is not here
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RobustoError(Exception):
    """Everything that the engine raises on purpose."""


class ConfigError(RobustoError):
    """A setting is wrong or missing."""


class WriteRejected(RobustoError):
    """The write was refused for a reason that the caller can mend; nothing of it was kept."""

    def __init__(
        self, reason: str, constraint: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(reason if constraint is None else f"{reason} ({constraint})")
        self.reason = reason
        self.constraint = constraint
        self.detail = dict(detail or {})


class KeyReused(WriteRejected):
    """The key was used before, in the same namespace and kind, with another body."""

    def __init__(self) -> None:
        super().__init__("key_reused")


class NotAccepted(RobustoError):
    """The write is neither stored nor journaled.

    With `maybe_applied` an unanswered COMMIT may still have stored it: sending the same write again
    with the same `key` is safe and is what to do. Without it the write is certainly nowhere.
    """

    def __init__(self, reason: str, *, key: str, maybe_applied: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key
        self.maybe_applied = maybe_applied


class DatabaseUnavailable(RobustoError):
    """A read could not be answered by PostgreSQL inside its deadline.

    `outage`: the server as a whole is away, and not just this query or this process's connections.
    `again`: another try, on another connection, may help. `alarm`: a person must act.
    """

    def __init__(
        self, reason: str, *, outage: bool = False, alarm: bool = False, again: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outage = outage
        self.again = again
        self.alarm = alarm


class LeaseLost(RobustoError):
    """Another process drains now; whoever gets this stops its pass at once."""


class EntryChanged(RobustoError):
    """Somebody has decided about a journal entry since it was read; read it again."""


class Refused(RobustoError):
    """Raised by a handler to refuse its payload, e.g. a conflict with the values seen.

    `reason` is a stable code; `detail` goes back to the caller and nowhere else.
    """

    def __init__(self, reason: str, **detail: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class JournalError(RobustoError):
    """The journal could not do what was asked."""

    maybe_written = False

    def __init__(self, message: str, *, maybe_written: bool | None = None) -> None:
        super().__init__(message)
        if maybe_written is not None:
            self.maybe_written = maybe_written


class JournalFull(JournalError):
    """No room: the disk is full or the journal reached its size limit. Nothing was written."""


class JournalBusy(JournalError):
    """The journal was held by another process for longer than the deadline. Nothing was written."""


class JournalMissing(JournalError):
    """The journal's file or folder is not the one that this journal id belongs to."""


class JournalUnreadable(JournalError):
    """The journal, or an entry of it, cannot be read."""


class MissingKey(JournalUnreadable):
    """Unfinished entries exist whose key is not among the keys given."""
