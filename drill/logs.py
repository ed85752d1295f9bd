"""Looks for the invented people in everything that was logged: nothing personal may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_BLANK = r"(?:\s|\+|%20|\\u0020)"
# The drill's people: their names, their telephone numbers with or without country code, and their CPFs.
_PERSONAL = re.compile(
    rf"aluno{_BLANK}+inventado{_BLANK}+\d{{6}}"
    r"|(?<!\d)(?:\+?55\W?)?\(?11\)?\W?900\d\d-?\d{4}(?!\d)"
    r"|(?<!\d)000\.?000\.?\d{3}-\d\d(?!\d)",
    re.IGNORECASE,
)


def personal_lines(lines: Iterable[str]) -> int:
    """How many lines name one of the drill's people."""
    return sum(_PERSONAL.search(line) is not None for line in lines)


def search(folder: Path) -> dict[Path, int]:
    """The logs below the folder that name people, and in how many lines."""
    found = {}
    for log in sorted(folder.rglob("*.log*")):
        if log.is_file():
            with log.open(errors="replace") as lines:
                if count := personal_lines(lines):
                    found[log] = count
    return found
