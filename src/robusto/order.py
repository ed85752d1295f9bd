"""1a. Nobody overtakes: kernel locks per key, and who waits behind whom."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from robusto.deadline import Deadline
from robusto.filelocks import KeyLocks
from robusto.write import Write


class Order:
    """Holds the keys of one write from the look at the backlog until it is stored or journaled.

    Its own key and its ordering keys belong to it alone; the parents it waits for are shared with
    its siblings. Both may raise JournalError.
    """

    def __init__(self, locks: KeyLocks) -> None:
        self._locks = locks

    def same_key(self, write: Write, deadline: Deadline) -> AbstractContextManager[bool]:
        """Be the only one who deals with this very write; yields False when another was, too long."""
        return self._locks.hold((write.id.bytes,), (), deadline)

    def turn(self, write: Write, deadline: Deadline) -> AbstractContextManager[bool]:
        """Be the only one who deals with its ordering keys; yields False when another was, too long."""
        return self._locks.hold(write.ordering, write.after, deadline)


class Queued(Protocol):
    """What the order of an entry depends on."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def ordering(self) -> tuple[bytes, ...]: ...
    @property
    def after(self) -> tuple[bytes, ...]: ...


class Blocked:
    """What cannot go in one pass of the drainer; whoever shares a key with it cannot either.

    Entries are shown to it in their order, and what is parked blocks in its turn: parking is
    transitive.
    """

    def __init__(self) -> None:
        self._digests: dict[bytes, int] = {}
        self._kinds: dict[str, int] = {}

    def stops(self, entry: Queued) -> bool:
        """Whether this entry has to wait behind something earlier."""
        return self.behind(entry) is not None

    def behind(self, entry: Queued) -> int | None:
        """The sequence number of what this entry has to wait behind."""
        if entry.kind in self._kinds:
            return self._kinds[entry.kind]
        waits_for = entry.ordering + entry.after
        return next((self._digests[digest] for digest in waits_for if digest in self._digests), None)

    def add(self, entry: Queued) -> None:
        """This entry stays: so does what shares an ordering key with it."""
        for digest in entry.ordering:
            self._digests.setdefault(digest, entry.seq)

    def add_kind(self, kind: str, seq: int = 0) -> None:
        """No entry of this kind can go now, because of the entry with this number."""
        self._kinds.setdefault(kind, seq)
