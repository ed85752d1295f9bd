"""What the server in memory is made of: values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

Params = Mapping[str, Any] | tuple[Any, ...] | None


class Loss(Enum):
    """What becomes of a COMMIT whose answer never comes."""

    BEFORE = "the connection was cut before it arrived: rolled back"
    AFTER = "it took effect, and the connection was cut before the answer"
    LATE = "nobody answers, its locks stay; `FakeServer.settle` says what becomes of it"


class SqlError(Exception):
    """Raised by what stands in for the business: the server's answer to a statement."""

    def __init__(self, sqlstate: str, constraint: str | None = None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate
        self.constraint = constraint


@dataclass(frozen=True, slots=True)
class Effect:
    """A statement of a handler that changed something."""

    sql: str
    params: Params


@dataclass(frozen=True, slots=True)
class Row:
    """A row of robusto_ledger, its key apart."""

    request_hash: bytes
    kind: str
    version: int
    state: str
    submit_id: UUID
    journal: UUID
    direct: bool
    accepted_at: datetime
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """What a server had at one time."""

    ledger: Mapping[UUID, Row]
    tokens: Mapping[UUID, int]
    effects: Sequence[Effect]
    commits: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gives back: enough of a cursor for the engine and its handlers."""

    statusmessage: str
    rows: tuple[tuple[Any, ...], ...] = ()
    rowcount: int = 0

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row."""
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row."""
        return list(self.rows)
