"""One line for the person at the terminal."""

from __future__ import annotations

import contextlib


def say(line: str) -> None:
    """Print at once. A terminal that is gone ends nothing."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)
