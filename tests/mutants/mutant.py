"""One deliberate breakage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class DoesNotApply(Exception):
    """The source no longer holds what the breakage replaces, or holds it twice."""


@dataclass(frozen=True)
class Mutant:
    """Replaces one piece of text in one file; `tests` are the node ids that have to notice."""

    name: str
    sentence: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, checkout: Path) -> str:
        """Break the file; returns its text from before. Raises DoesNotApply."""
        path = checkout / self.file
        before = path.read_text() if path.exists() else ""
        if before.count(self.old) != 1:
            raise DoesNotApply(f"{self.file} holds the text {before.count(self.old)} times instead of once")
        path.write_text(before.replace(self.old, self.new))
        return before

    def undo(self, checkout: Path, before: str) -> None:
        """Put the file back."""
        (checkout / self.file).write_text(before)
