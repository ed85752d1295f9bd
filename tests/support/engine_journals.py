"""A journal without an engine around it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from robusto.clock import SystemClock
from robusto.deadline import Deadline
from robusto.journal.place import Place
from robusto.journal.sqlite import Draft, SqliteJournal
from robusto.write import Write


def FAR() -> Deadline:
    """Far enough away that only a broken test meets it."""
    return Deadline.after(SystemClock(), 20)


def journal_at(
    folder: Path, *, keys: tuple[bytes, ...] = (b"k" * 32,), max_bytes: int = 1 << 30
) -> SqliteJournal:
    """An open journal in this folder."""
    journal = SqliteJournal(Place(folder), keys, max_bytes, SystemClock())
    journal.open()
    return journal


def a_write(**values: Any) -> Write:
    """A write in which only what is given matters."""
    defaults: dict[str, Any] = {
        "id": uuid4(), "kind": "note", "payload": {"id": 1, "value": "v"}, "request_hash": b"h" * 32,
        "submit_id": uuid4(), "version": 1, "ordering": (), "after": (),
        "accepted_at": datetime.now(UTC), "key": "k",
    }  # fmt: skip
    return Write(**defaults | values)


def a_draft(
    id: UUID | None = None, *, reason: str = "unavailable", maybe_applied: bool = False, **values: Any
) -> Draft:
    """The same, to be appended."""
    return Draft(a_write(**values, id=id or uuid4()), reason, maybe_applied)


def break_file(journal: SqliteJournal) -> None:
    """Let this process believe that its open journal file has failed."""
    journal._opening.current()._broken = "the disk failed"
