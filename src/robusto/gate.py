"""Lets calls through, and lets whoever wants to close or fork wait until all of them have ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds that closing waits for calls on their way: longer than any request may take.
_PATIENCE = 10.0


class Gate:
    """Open for callers, until somebody shuts it; a caller inside may call again."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._inside = 0
        self._shut_by: int | None = None
        self._own = threading.local()

    def __enter__(self) -> None:
        depth = getattr(self._own, "depth", 0)
        with self._moved:
            mine = (None, threading.get_ident())
            self._moved.wait_for(lambda: depth > 0 or self._shut_by in mine)
            self._inside += 1
        self._own.depth = depth + 1

    def __exit__(self, *_: object) -> None:
        self._own.depth -= 1
        with self._moved:
            self._inside -= 1
            self._moved.notify_all()

    def shut(self) -> None:
        """Let nobody else in, and wait until only the caller's own calls are inside."""
        own = getattr(self._own, "depth", 0)
        with self._moved:
            mine = (None, threading.get_ident())
            self._moved.wait_for(lambda: self._shut_by in mine)
            self._shut_by = threading.get_ident()
            self._moved.wait_for(lambda: self._inside <= own, _PATIENCE)

    def open(self) -> None:
        """Let everybody in again."""
        with self._moved:
            self._shut_by = None
            self._moved.notify_all()

    @contextmanager
    def shut_for_a_while(self) -> Iterator[None]:
        """Shut during the block."""
        self.shut()
        try:
            yield
        finally:
            self.open()
