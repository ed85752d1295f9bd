"""1a. Nobody overtakes: kernel locks per key, and who waits behind whom."""

from __future__ import annotations

from contextlib import AbstractContextManager

from robusto.deadline import Deadline
from robusto.filelocks import KeyLocks
from robusto.journal.entry import Entry
from robusto.write import Write


class Order:
    """Holds the keys of one write from the look at the backlog until it is stored or journaled.

    Its own key and its ordering keys belong to it alone; the parents it waits for are shared with
    its siblings.
    """

    def __init__(self, locks: KeyLocks) -> None:
        self._locks = locks

    def hold(self, write: Write, deadline: Deadline) -> AbstractContextManager[bool]:
        """Yields False when somebody else held one of the keys until the deadline."""
        return self._locks.hold((write.id.bytes, *write.ordering), write.after, deadline)


class Blocked:
    """What cannot go in one pass of the drainer; whoever shares a key with it cannot either.

    Entries are shown to it in their order, and what is parked blocks in its turn: parking is
    transitive.
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._kinds: set[str] = set()

    def stops(self, entry: Entry) -> bool:
        """Whether this entry has to wait behind something earlier."""
        if entry.kind in self._kinds:
            return True
        return not self._digests.isdisjoint(entry.ordering + entry.after)

    def add(self, entry: Entry) -> None:
        """This entry stays: so does what shares an ordering key with it."""
        self._digests.update(entry.ordering)

    def add_kind(self, kind: str) -> None:
        """No entry of this kind can go now."""
        self._kinds.add(kind)
