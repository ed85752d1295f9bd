"""2c. How long: one deadline for the whole request, on the monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass

from robusto.clock import Clock


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock that everything a request waits for has to respect."""

    clock: Clock
    expires: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(clock, clock.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.expires - self.clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.clock.monotonic() >= self.expires

    def at_most(self, seconds: float) -> Deadline:
        """This deadline, or `seconds` from now if that comes first."""
        return Deadline(self.clock, min(self.expires, self.clock.monotonic() + seconds))
