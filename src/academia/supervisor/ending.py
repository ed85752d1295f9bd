"""When to end: SIGINT, SIGTERM, SIGHUP, also where they reached only the `make` that started us.

make passes SIGTERM on to its children, but not SIGINT: it takes for granted that the terminal sent it to the
whole process group, and waits. It is seen from outside that it caught one: make gives up its handler then.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MAKE = ("make", "gmake")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class EndRequest:
    """Whether this process was asked to end. A second signal changes nothing."""

    def __init__(self) -> None:
        """Install the signal handlers; only in the main thread."""
        self._requested = False
        for number in _SIGNALS:
            # `nohup` ignores SIGHUP on purpose.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._request)
        parent = os.getppid()
        self._make = parent if _name(parent) in _MAKE else None
        if self._make is not None:
            _signal_when_parent_dies()
            self._requested = os.getppid() != parent
        self._make_caught_interrupts = self._make is not None and _catches(self._make, signal.SIGINT)

    def __call__(self) -> bool:
        """Whether it is time to end."""
        if (
            self._make_caught_interrupts
            and self._make is not None
            and not _catches(self._make, signal.SIGINT)
        ):
            self._requested = True
        return self._requested

    def _request(self, number: int, frame: object) -> None:
        self._requested = True


def ends_with(parent: int) -> Callable[[], None]:
    """For `preexec_fn`: the child gets SIGTERM when this process, `parent`, is killed."""

    def in_the_child() -> None:
        _signal_when_parent_dies()
        if os.getppid() != parent:
            os._exit(1)

    return in_the_child


def _signal_when_parent_dies() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal; True where that cannot be read."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    except OSError:
        pass
    return True
