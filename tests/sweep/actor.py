"""A process that uses the journal and says so: before each act what it is about to do, and then the answer.

`done`: it was answered as done. `nothing`: refused, and certainly nothing changed. `unknown`: refused,
and it may have happened.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto.clock import SystemClock
from robusto.errors import EntryChanged, JournalError, LeaseLost
from robusto.journal.entry import EntryState, Opened
from robusto.journal.place import Place
from robusto.journal.sqlite import SqliteJournal
from tests.support.engine_journals import FAR, a_draft
from tests.sweep.children import Say
from tests.sweep.world import Line

KEYS = (b"k" * 32,)


class Actor:
    """Acts on the journal in one folder."""

    def __init__(self, folder: Path, say: Say, keys: tuple[bytes, ...] = KEYS, dsn: str = "") -> None:
        """`dsn`: of the database that the whole engine drains into."""
        self.say = say
        self.dsn = dsn
        self.folder = folder
        self.journal = SqliteJournal(Place(folder), keys, 1 << 30, SystemClock())
        self.token = 0

    def open(self) -> bool:
        """As the engine does: a journal that cannot be opened is opened again with the next act."""

        def identity() -> dict[str, Any]:
            self.journal.open()
            return {"identity": _identity(self.journal)}

        return self._act({"do": "open"}, identity)

    def append(
        self,
        name: str,
        size: int = 20,
        *,
        kind: str = "note",
        value: str = "",
        behind: tuple[bytes, ...] = (),
    ) -> bool:
        """Keep a write of this name. `behind`: ordering keys beside its own."""
        id = id_of(name)
        value = value or (name + ".").ljust(size, "x")
        payload = {"id": 1, "value": value, "code": None}
        draft = a_draft(id=id, kind=kind, payload=payload, ordering=(id.bytes, *behind), after=(b"p" * 16,))

        def append() -> dict[str, Any]:
            return {"seq": self.journal.append(draft, FAR())[0].seq}

        return self._act({"do": "append", "id": id.hex, "to": "pending/1", "value": value}, append)

    def take_token(self) -> bool:
        """Become the drainer."""

        def take() -> dict[str, Any]:
            self.token = self.journal.take_token()
            return {"token": self.token}

        return self._act({"do": "token"}, take)

    def mark(self, name: str, state: EntryState) -> bool:
        """Record what became of an entry; what fails is tried again, as by the drainer's next pass."""
        return self._again(
            name,
            f"{state.value}/{{version}}",
            lambda opened: self.journal.mark(opened.entry, state, self.token, reason="23514"),
        )

    def taint(self, name: str) -> bool:
        return self._about("taint", name, lambda opened: self.journal.taint(opened.entry, self.token))

    def note(self, name: str) -> bool:
        return self._about("note", name, lambda opened: self.journal.note(opened.entry, "23514", self.token))

    def requeue(self, name: str) -> bool:
        return self._again(
            name, "pending/2", lambda opened: self.journal.requeue(opened, who="ana", reason="mended")
        )

    def discard(self, name: str) -> bool:
        return self._again(
            name,
            "discarded/{version}",
            lambda opened: self.journal.discard(opened.entry, who="ana", reason="double"),
        )

    def put_back(self, name: str) -> bool:
        """Let an applied entry wait again: PostgreSQL has forgotten it."""
        return self._again(
            name,
            "pending/{version}",
            lambda opened: self.journal.put_back([opened.entry], "set_back", self.token),
        )

    def prune(self) -> bool:
        """Forget every applied entry."""

        def prune() -> dict[str, Any]:
            return {"pruned": self.journal.prune(time.time() + 1)}

        return self._act({"do": "prune", "to": "pruned"}, prune)

    def check_health(self) -> bool:
        return self._act({"do": "health"}, lambda: self.journal.try_to_write(FAR()))

    def look(self) -> None:
        """Say everything that the journal holds. A refusal is said too."""
        self._act({"do": "look"}, lambda: {"view": view_of(self.journal)})

    # -- how it is said ------------------------------------------------------------------------

    def _again(self, name: str, to: str, act: Callable[[Opened], None]) -> bool:
        return any(self._move(name, to, act) for _ in range(3))

    def _move(self, name: str, to: str, act: Callable[[Opened], None]) -> bool:
        opened = self._opened(name)
        if opened is None:
            return False
        becomes = to.format(version=opened.entry.version)
        if f"{opened.entry.state.value}/{opened.entry.version}" == becomes:
            return True  # the try before has come through after all
        line = {"do": "move", "id": opened.entry.id.hex, "to": becomes}
        return self._act(line, lambda: act(opened))

    def _about(self, what: str, name: str, act: Callable[[Opened], None]) -> bool:
        opened = self._opened(name)
        if opened is None:
            return False
        return self._act({"do": what, "id": opened.entry.id.hex}, lambda: act(opened))

    def _opened(self, name: str) -> Opened | None:
        with suppress(JournalError):
            return self.journal.open_entry(id_of(name))
        return None

    def _act(self, line: Line, act: Callable[[], dict[str, Any] | None]) -> bool:
        self.say(line)
        ended = {"did": line["do"]} | {name: value for name, value in line.items() if name != "do"}
        try:
            more = act()
        except JournalError as error:
            answer = "unknown" if error.maybe_written else "nothing"
            self.say(ended | {"answer": answer, "why": f"{type(error).__name__}: {error}"})
            return False
        except (EntryChanged, LeaseLost) as error:
            self.say(ended | {"answer": "nothing", "why": repr(error)})
            return False
        self.say(ended | {"answer": "done"} | (more or {}))
        return True


def view_of(journal: SqliteJournal) -> Line:
    """Everything that a journal holds, and a new token of it."""
    counts, _ = journal.counts_twice()
    return {
        "entries": [_entry_view(journal, id) for id, _, _ in journal.all_entries()],
        "counts": {name: getattr(counts, name) for name in counts.__slots__},
        "damages": journal.damages(),
        "identity": _identity(journal),
        "token": journal.take_token(),
    }


def _entry_view(journal: SqliteJournal, id: UUID) -> Line:
    opened = journal.open_entry(id)
    assert opened is not None
    entry, write = opened.entry, opened.write
    return {
        "id": id.hex,
        "seq": entry.seq,
        "state": entry.state.value,
        "reason": entry.reason,
        "version": entry.version,
        "tainted": entry.maybe_applied,
        "value": None if write is None else write.payload["value"],
        "blocks": journal.waits_behind((id.bytes,)),
        "acts": [act.verb for act in reversed(journal.acts_of(id))],
    }


def _identity(journal: SqliteJournal) -> str:
    return f"{journal.journal_id().hex} {journal.secret().hex()}"


def id_of(name: str) -> UUID:
    """The same name is the same write, in every process."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16])
