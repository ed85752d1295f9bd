"""Ask the one worker of this host for a pass, and wait for its answer; two askers share one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from robusto.deadline import Deadline
from robusto.shared import Record, SharedRecord

_LOOK_SECONDS = 0.02
#: Errors that an answer carries; the rest is in the quarantine to be seen.
_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Drained:
    """What a requested drain has come to."""

    processed: int
    remaining: int
    quarantined: int
    errors: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The numbers and errors, as every interface gives them."""
        return {
            "processed": self.processed,
            "remaining": self.remaining,
            "quarantined": self.quarantined,
            "errors": list(self.errors),
        }


class Passes:
    """The shared record of what was asked for and what was answered."""

    def __init__(self, record: SharedRecord) -> None:
        self._record = record

    def request(self) -> int:
        """Ask for a pass that begins after now; returns its number."""

        def change(now: Record | None) -> Record:
            record = now or {"asked": 0, "answered": 0}
            return {**record, "asked": record["asked"] + 1}

        return int((self._record.update(change) or {"asked": 0})["asked"])

    def asked(self) -> int:
        """The number of the newest request that was not answered yet, or 0."""
        record = self._record.read()
        if record is None or record["asked"] <= record["answered"]:
            return 0
        return int(record["asked"])

    def answer(self, number: int, errors: list[str]) -> None:
        """A pass that began after this request has ended."""
        short = [error[:120] for error in errors[:_ERRORS]]

        def change(now: Record | None) -> Record | None:
            if now is None or number <= now["answered"]:
                return None
            return {**now, "answered": number, "errors": short}

        self._record.update(change)

    def wait(self, number: int, deadline: Deadline) -> list[str] | None:
        """The errors of the pass that was asked for, or None when the deadline came first."""
        while True:
            record = self._record.read()
            if record is not None and record["answered"] >= number:
                return list(record.get("errors", []))
            if deadline.expired:
                return None
            deadline.clock.sleep(min(_LOOK_SECONDS, deadline.remaining()))
