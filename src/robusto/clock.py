"""Time, as a port: deadlines run on the monotonic clock, records carry the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of time; tests pass their own."""

    def monotonic(self) -> float:
        """Seconds that never jump; shared by every process of the host (CLOCK_MONOTONIC)."""

    def wall(self) -> datetime:
        """The date and time in UTC, for people and records, never for order or deadlines."""

    def sleep(self, seconds: float) -> None:
        """Wait; a pause between tries."""


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
