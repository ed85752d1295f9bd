"""Group commit: whoever comes first writes for those who wait, so that one flush serves them all.

A lone caller writes by itself and pays for no hand-over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from robusto.deadline import Deadline
from robusto.errors import JournalBusy, JournalError

T = TypeVar("T")
R = TypeVar("R")

#: Items that one leader writes in one transaction.
_GROUP = 256
#: Seconds that a follower waits beyond its deadline for a flush that has begun: then it is unknown.
_GRACE = 5.0


class _Item(Generic[T, R]):
    """One caller's value on its way, with what became of it."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.woken = threading.Event()
        self.leads = False
        self.result: R | None = None
        self.error: Exception | None = None
        self.settled = False

    def settle(self, result: R | None, error: Exception | None) -> None:
        self.result, self.error, self.settled = result, error, True
        self.woken.set()


class GroupCommit(Generic[T, R]):
    """Passes values in groups to `commit`, which returns a result for each, all flushed.

    `commit(take, deadline)` calls `take()` once it holds whatever locks it needs, so that everybody
    who queued up in the meantime is in the group.
    """

    def __init__(
        self, commit: Callable[[Callable[[], Sequence[T]], Deadline], Sequence[R | Exception]]
    ) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._queue: deque[_Item[T, R]] = deque()
        self._led = False

    def put(self, value: T, deadline: Deadline) -> R:
        """Write one value. Raises what `commit` raised, or JournalBusy when its turn never came."""
        item: _Item[T, R] = _Item(value)
        with self._lock:
            self._queue.append(item)
            item.leads = not self._led
            self._led = True
        if not item.leads:
            self._follow(item, deadline)
        if item.leads and not item.settled:
            self._lead(deadline)
        if item.error is not None:
            raise item.error
        assert item.result is not None
        return item.result

    def _follow(self, item: _Item[T, R], deadline: Deadline) -> None:
        if item.woken.wait(deadline.remaining()):
            return
        with self._lock:
            if item in self._queue and not item.leads:
                self._queue.remove(item)
                item.settle(None, JournalBusy("the journal's turn did not come before the deadline"))
                return
        if not item.woken.wait(_GRACE):
            item.settle(None, JournalError("the flush did not end in time", maybe_written=True))

    def _lead(self, deadline: Deadline) -> None:
        group: list[_Item[T, R]] = []

        def take() -> Sequence[T]:
            with self._lock:
                while self._queue and len(group) < _GROUP:
                    group.append(self._queue.popleft())
            return [item.value for item in group]

        try:
            outcomes = self._commit(take, deadline)
        except BaseException as error:  # every caller of the group gets it, none is left waiting
            if not group:  # no lock, no group: the leader alone has failed
                with self._lock:
                    group.append(self._queue.popleft())
            self._settle(group, [_told(error)] * len(group))
            if not isinstance(error, Exception):
                raise
        else:
            self._settle(group, outcomes)

    def _settle(self, group: list[_Item[T, R]], outcomes: Sequence[R | Exception]) -> None:
        for item, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                item.settle(None, outcome)
            else:
                item.settle(outcome, None)
        self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                successor = self._queue[0]
                successor.leads = True
                successor.woken.set()
            else:
                self._led = False


def _told(error: BaseException) -> Exception:
    """What the callers get: the error itself, unless it was only the leader's own end."""
    if isinstance(error, Exception):
        return error
    return JournalError("the thread that wrote for all was ended", maybe_written=True)
