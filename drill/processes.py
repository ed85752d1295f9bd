"""Processes as /proc shows them: whose child is whose, what they call themselves, and when they are gone."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# A backend writes what it is doing into its command line: "postgres: user base 127.0.0.1(5555) COMMIT".
_BACKEND = re.compile(r"^postgres: .*127\.0\.0\.1\(\d+\) ?(?P<doing>.*)$")


def wait_until(true: Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Ask again and again until it is true; False when the time is over."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def alive(pid: int) -> bool:
    """Whether the process runs, or is stopped; a zombie does not count."""
    return _stat(pid)[0] not in ("", "Z", "X")


def stopped(pid: int) -> bool:
    """Whether a SIGSTOP has taken effect."""
    return _stat(pid)[0] == "T"


def command_line(pid: int) -> str:
    """The arguments, joined by blanks; empty when the process is gone."""
    with contextlib.suppress(OSError):
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


def children(pid: int) -> list[int]:
    """The direct children, oldest first."""
    everybody = sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [child for child in everybody if _stat(child)[1] == pid]


def parent(pid: int) -> int:
    """The parent; 0 when the process is gone."""
    return _stat(pid)[1]


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def workers(pid: int) -> list[int]:
    """The worker processes below `pid`: a forked worker has the very command line of its parent."""
    family = [pid, *descendants(pid)]
    lines = {member: command_line(member) for member in family}
    return [m for m in family[1:] if lines[m] and lines[m] == lines.get(_stat(m)[1])]


def client_backends(postmaster: int) -> dict[int, str]:
    """The backends that serve TCP clients, and what each one is doing."""
    found = {}
    for pid in children(postmaster):
        if match := _BACKEND.match(command_line(pid)):
            found[pid] = match["doing"].strip()
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each of them; whoever is gone is not missed."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: int) -> tuple[str, int]:
    with contextlib.suppress(OSError):
        # The name in parentheses may hold anything, so the fields are counted from the last parenthesis.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[1])
    return "", 0
