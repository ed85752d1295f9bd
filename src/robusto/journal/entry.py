"""An entry of the journal, and the counts that its equation is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from uuid import UUID

from robusto.errors import JournalUnreadable
from robusto.write import Write, WriteState


class EntryState(Enum):
    """The states of an entry. Pending, held and quarantined ones are unfinished."""

    PENDING = "pending"
    HELD = "held"
    APPLIED = "applied"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"

    @property
    def as_write_state(self) -> WriteState:
        """What the person who waits is told."""
        return _SHOWN[self]


_SHOWN = {
    EntryState.PENDING: WriteState.PENDING,
    EntryState.HELD: WriteState.PENDING,
    EntryState.APPLIED: WriteState.STORED,
    EntryState.QUARANTINED: WriteState.QUARANTINED,
    EntryState.DISCARDED: WriteState.DISCARDED,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands beside the seal: readable without a key, and free of personal data.

    `maybe_applied`: an attempt was never answered. `reason`: the code of the last refusal.
    `held_since` and `not_before` are wall-clock seconds of a held entry.
    """

    seq: int
    id: UUID
    kind: str
    state: EntryState
    request_hash: bytes
    version: int
    ordering: tuple[bytes, ...]
    after: tuple[bytes, ...]
    accepted_at: datetime
    changed_at: datetime
    maybe_applied: bool
    reason: str
    held_since: float | None
    not_before: float

    @property
    def is_shell(self) -> bool:
        """Whether only the id is left of a damaged entry: its hash says nothing then."""
        return self.request_hash == bytes(32)


class Opened:
    """An entry and its write, which is decrypted when somebody asks for it."""

    def __init__(
        self, entry: Entry, unseal: Callable[[], Write], place: int | None = None, copy: int = 0
    ) -> None:
        self.entry = entry
        self._unseal = unseal
        #: Where it stands in the order: its number; of what went directly once, the number of the entry that
        #: it stands behind, and the number that its copy had.
        self.place = entry.seq if place is None else place
        self.position = (self.place, copy, entry.seq)

    @cached_property
    def write(self) -> Write | None:
        """The write; None when the seal does not open."""
        try:
            return self._unseal()
        except JournalUnreadable:
            return None


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of a direct write: `n` is its number, `behind` the last entry that was accepted before it.

    Not `readable`: its seal does not open, and only what stands beside it is right.
    """

    n: int
    write: Write
    behind: int
    readable: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries are in each state, and the last sequence number given."""

    last_seq: int
    pending: int
    held: int
    applied: int
    quarantined: int
    discarded: int
    pruned: int

    @property
    def unfinished(self) -> int:
        """Entries that PostgreSQL still has to take, a person's decisions apart."""
        return self.pending + self.held

    @property
    def balanced(self) -> bool:
        """The journal's half of the conservation equation."""
        return self.last_seq == (
            self.pending + self.held + self.applied + self.quarantined + self.discarded + self.pruned
        )
