"""A clock that stands still until somebody moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class FakeClock:
    """Time for tests: sleeping moves it on at once, and the wall clock may jump either way.

    Only the engine's own waiting obeys it; threads that wait for each other do so in real time.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._passed, self._jumped = 0.0, 0.0

    def monotonic(self) -> float:
        """Seconds since the clock was made; never goes back."""
        return self._passed

    def wall(self) -> datetime:
        """The date and time, all jumps included."""
        return _START + timedelta(seconds=self._passed + self._jumped)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        with self._mutex:
            self._passed += max(0.0, seconds)

    def jump(self, seconds: float) -> None:
        """Put the wall clock forward, or back; deadlines do not notice."""
        with self._mutex:
            self._jumped += seconds
