"""What happened, told to whoever listens, after the state was saved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from robusto.clock import Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A name and small facts: codes, ids, numbers. Never personal data."""

    name: str
    at: datetime
    facts: dict[str, Any]


Listener = Callable[[Event], None]


class Events:
    """Passes events on. A listener that fails is logged and never disturbs the flow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event from now on, in the thread where it happens."""
        self._listeners.append(listener)

    def emit(self, name: str, **facts: Any) -> None:
        """Tell everybody."""
        event = Event(name, self._clock.wall(), facts)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # whatever a listener does, the write goes on
                _log.error(
                    "a listener failed on the event %s: %s at %s", name, type(error).__name__, place_of(error)
                )


def place_of(error: BaseException) -> str:
    """Where an exception was raised, without its text, which may repeat somebody's values."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
