"""A history that survives its writer's `kill -9`: one line for each thing that happened, before it goes on.

A line is one `write` into the page cache of the kernel, which a killed process cannot take with it. An
attempt is noted before it is made: without an answer behind it, it is unknown whether it happened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drill.history import Answer, History, Kind, Outcome, Write

_TOLD = ("outcome", "first", "attempts", "unanswered", "id", "protocolo", "gravacao")


class KeptHistory(History):
    """The history of one writer in a process of its own; a new incarnation goes on where the file ends."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = -1  # what is read now stands there already
        self._number: dict[int, int] = {}  # id() of a write -> its place
        self._open: set[int] = set()  # places of the writes that were sent and not settled since
        if path.exists():
            _cut_torn_line(path)
            for line in _lines(path):
                _replay(self, line)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for place in self._open:
            self.writes[place].unanswered = True
            self.count("attempts cut short by the death of the writer")
        self._open.clear()

    def begin(self, write: Write) -> Write:
        """Keep a write before it is sent."""
        with self._lock:
            self._number[id(write)] = len(self.writes)
            super().begin(write)
            self._keep("begin", _plain(asdict(write)))
        return write

    def sends(self, write: Write) -> None:
        """Keep an attempt before it is made."""
        with self._lock:
            super().sends(write)
            self._open.add(self._number[id(write)])
            self._keep("sends", self._number[id(write)])

    def settled(self, write: Write) -> None:
        """Keep what a write has come to."""
        with self._lock:
            super().settled(write)
            self._open.discard(self._number[id(write)])
            told = {name: getattr(write, name) for name in _TOLD}
            self._keep("settled", [self._number[id(write)], _plain(told)])

    def answered(self, answer: Answer) -> None:
        """Keep an answer, or that none came."""
        with self._lock:
            super().answered(answer)
            self._keep("answered", _plain(asdict(answer)))

    def absorbs(self) -> None:
        """Keep that a repeat was answered as the same write."""
        with self._lock:
            super().absorbs()
            self._keep("absorbs", None)

    def breach(self, text: str) -> None:
        """Keep an answer that the contract does not allow."""
        with self._lock:
            super().breach(text)
            self._keep("breach", text)

    def count(self, what: str) -> None:
        """Keep something that is counted."""
        with self._lock:
            super().count(what)
            self._keep("count", what)

    def _keep(self, what: str, value: Any) -> None:
        if self._file >= 0:
            os.write(self._file, json.dumps([what, value], separators=(",", ":")).encode() + b"\n")


def load(path: Path) -> History:
    """What a writer kept, whether it ended or was killed."""
    history = KeptHistory(path)
    os.close(history._file)
    return history


def _replay(history: KeptHistory, line: list[Any]) -> None:
    what, value = line
    match what:
        case "begin":
            history.begin(Write(**_rich(value)))
        case "sends":
            write = history.writes[value]
            history.sends(write)
            if not write.outcome.accepted:
                write.outcome = Outcome.UNKNOWN
        case "settled":
            write = history.writes[value[0]]
            for name, told in _rich(value[1]).items():
                setattr(write, name, told)
            history.settled(write)
        case "answered":
            history.answered(Answer(**_rich(value)))
        case "absorbs":
            history.absorbs()
        case "breach":
            history.breach(value)
        case "count":
            history.count(value)
        case _:
            raise ValueError(f"not a line of a history: {what!r}")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.value if isinstance(value, Outcome | Kind) else value for name, value in values.items()
    }


def _rich(values: dict[str, Any]) -> dict[str, Any]:
    known = {"outcome": Outcome, "first": Outcome, "kind": Kind}
    return {
        name: known[name](value) if name in known and value is not None else value
        for name, value in values.items()
    }


def _cut_torn_line(path: Path) -> None:
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole < len(raw):
        os.truncate(path, whole)


def _lines(path: Path) -> Iterator[list[Any]]:
    with path.open() as lines:
        for line in lines:
            yield json.loads(line)
