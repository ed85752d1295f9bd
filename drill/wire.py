"""Just enough of PostgreSQL's wire protocol to see a COMMIT go by and its answer come back.

Nothing here does I/O: splitters turn bytes into frames, `Transactions` says which frame commits a write.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from drill import plan

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
_UNTYPED_LIMIT = 10_000
DOOMED = plan.DOOMED.encode()
# A write of the product leaves a ledger row in the same transaction as its effect; both names are contract.
_MODIFIES = re.compile(rb"\b(?:insert|update|delete|merge)\b", re.IGNORECASE)
_BUSINESS = re.compile(rb"\b(?:robusto_ledger|alunos)\b", re.IGNORECASE)
_BEGIN = re.compile(rb"\s*(?:begin|start\s+transaction)\b", re.IGNORECASE)
_COMMIT = re.compile(rb"\s*(?:commit|end)\b(?!\s+prepared)", re.IGNORECASE)
_ROLLBACK = re.compile(rb"\s*(?:rollback|abort)\b(?!\s+(?:work\s+|transaction\s+)?to\b)", re.IGNORECASE)


class Statement(enum.Enum):
    """What a statement means to whoever waits for a commit."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    WRITE = "write"
    OTHER = "other"


class Commit(enum.Enum):
    """How a write is being committed."""

    EXPLICIT = "COMMIT"
    IMPLICIT = "a single statement outside a transaction block"


@dataclass(frozen=True)
class Frame:
    """One message: its type byte (empty up to the startup packet), its payload, and all its bytes."""

    kind: bytes
    body: bytes
    raw: bytes


def classify(sql: bytes) -> Statement:
    """Name a statement by its text."""
    if _BEGIN.match(sql):
        return Statement.BEGIN
    if _COMMIT.match(sql):
        return Statement.COMMIT
    if _ROLLBACK.match(sql):
        return Statement.ROLLBACK
    if _MODIFIES.search(sql) and _BUSINESS.search(sql):
        return Statement.WRITE
    return Statement.OTHER


class _Splitter:
    def __init__(self) -> None:
        self._buffer = bytearray()

    def _typed(self) -> Frame | None:
        if len(self._buffer) < 5:
            return None
        size = 1 + int.from_bytes(self._buffer[1:5], "big")
        return self._take(size, 5, bytes(self._buffer[:1]))

    def _take(self, size: int, header: int, kind: bytes) -> Frame | None:
        if len(self._buffer) < size:
            return None
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Frame(kind, raw[header:], raw)


class ClientSplitter(_Splitter):
    """Cuts the client's stream into frames; everything up to the startup packet has no type byte."""

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self.negotiations = 0  # one-byte answers that the server still owes

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they came, give back the frames that are whole now."""
        self._buffer += data
        frames = []
        while (frame := self._typed() if self._started else self._untyped()) is not None:
            frames.append(frame)
        return frames

    def _untyped(self) -> Frame | None:
        if len(self._buffer) < 8:
            return None
        size, code = int.from_bytes(self._buffer[:4], "big"), int.from_bytes(self._buffer[4:8], "big")
        if not 8 <= size <= _UNTYPED_LIMIT:
            raise ValueError("not a PostgreSQL client")
        frame = self._take(size, 4, b"")
        if frame is not None and code in (SSL_REQUEST, GSS_REQUEST):
            self.negotiations += 1
        elif frame is not None:
            self._started = True
        return frame


class ServerSplitter(_Splitter):
    """Cuts the server's stream into frames; the answer to an SSLRequest or GSSENCRequest is one bare byte."""

    def __init__(self, client: ClientSplitter) -> None:
        super().__init__()
        self._client = client

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they came, give back the frames that are whole now."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if self._client.negotiations and self._buffer:
            if bytes(self._buffer[:1]) not in (b"N", b"E"):
                raise ValueError("the server offers encryption: use sslmode=disable, gssencmode=disable here")
            self._client.negotiations -= 1
            if self._buffer[:1] == b"N":
                return self._take(1, 1, b"")
        return self._typed()


@dataclass
class Transactions:
    """Follows what the client sends, also by prepared statements and in pipelines."""

    _statements: dict[bytes, Statement] = field(default_factory=dict)
    _portals: dict[bytes, Statement] = field(default_factory=dict)
    _in_block: bool = False
    _wrote: bool = False
    doomed: bool = False
    """Whether the transaction that was committed last carries the mark of a write that will be refused."""
    _marked: bool = False

    def sees(self, frame: Frame) -> Commit | None:
        """Say whether this frame, once the server has it, commits a write."""
        self._marked = self._marked or (frame.kind in (b"B", b"Q") and DOOMED in frame.body)
        if frame.kind == b"Q":
            return self._runs(classify(frame.body))
        if frame.kind == b"P":
            name, sql = frame.body.split(b"\0", 2)[:2]
            self._statements[name] = classify(sql)
        elif frame.kind == b"B":
            portal, name = frame.body.split(b"\0", 2)[:2]
            self._portals[portal] = self._statements.get(name, Statement.OTHER)
        elif frame.kind == b"E":
            return self._runs(self._portals.get(frame.body.split(b"\0", 1)[0], Statement.OTHER))
        return None

    def _runs(self, statement: Statement) -> Commit | None:
        if statement is Statement.BEGIN:
            self._in_block, self._wrote, self._marked = True, False, False
        elif statement is Statement.ROLLBACK:
            self._in_block = self._wrote = False
        elif statement is Statement.COMMIT:
            wrote, self._in_block, self._wrote = self._wrote, False, False
            self.doomed = self._marked
            return Commit.EXPLICIT if wrote else None
        elif statement is Statement.WRITE and self._in_block:
            self._wrote = True
        elif statement is Statement.WRITE:
            self.doomed, self._marked = self._marked, False
            return Commit.IMPLICIT
        return None


def settles(commit: Commit, frame: Frame) -> bool | None:
    """Read a server frame: True = committed, False = it was not, None = says nothing about the commit yet."""
    if frame.kind == b"E":
        return False
    if commit is Commit.EXPLICIT and frame.kind == b"C":
        tag = frame.body.rstrip(b"\0")
        return {b"COMMIT": True, b"ROLLBACK": False}.get(tag)
    if commit is Commit.IMPLICIT and frame.kind == b"Z":
        return frame.body == b"I"
    return None
