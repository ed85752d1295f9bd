"""What the writers remember: every write, every answer, every time, and whatever broke the contract."""

from __future__ import annotations

import enum
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


class Outcome(enum.Enum):
    """What the writer was told about a write."""

    STORED = "stored"
    PENDING = "pending"
    REJECTED = "rejected"
    NOT_KEPT = "not kept"
    UNKNOWN = "unknown"

    @property
    def accepted(self) -> bool:
        """Whether the product has promised to keep it."""
        return self in (Outcome.STORED, Outcome.PENDING)


class Kind(enum.Enum):
    """What a request was for."""

    REGISTER = "register"
    EDIT = "edit"
    SEARCH = "search"
    STATUS = "status"
    STATE = "state of a write"


@dataclass
class Write:
    """One write as its writer knows it; `outcome` is the last word it got."""

    key: str
    kind: Kind
    nome: str
    number: int = 0
    """Which edit of this student it is, counted from 1."""
    body: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.UNKNOWN
    first: Outcome | None = None
    """What the very first attempt was told."""
    attempts: int = 0
    """How often it was sent, answered or not."""
    unanswered: bool = False
    """Whether an attempt of it had no answer, or one that leaves open what it did."""
    id: str = ""
    protocolo: str = ""
    gravacao: str = ""
    rival: bool = False
    """Another write carries the same CPF: one of the two may be refused or quarantined, with good reason."""
    doomed: bool = False
    """PostgreSQL refuses it at COMMIT: it may be refused or quarantined, and never have an effect."""
    flawed: bool = False
    """Sent in order to be refused."""

    @property
    def receipt(self) -> str:
        """What to ask the state by."""
        return self.gravacao or self.protocolo

    @property
    def refused_late(self) -> bool:
        """Whether the refusal came after an attempt that nobody knows the end of."""
        return self.unanswered and self.outcome is Outcome.REJECTED and not self.flawed


@dataclass(frozen=True)
class Answer:
    """One request and what came back; `status` is 0 when nothing did."""

    kind: Kind
    sent_at: float
    seconds: float
    status: int
    outcome: Outcome | None = None
    key: str = ""


class History:
    """Everything that was sent and answered; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.writes: list[Write] = []
        self.answers: list[Answer] = []
        self.breaches: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self.absorbed = 0
        """Repeats of a write that were answered as the same write."""
        self._firsts: Counter[bool] = Counter()  # accepted writes, by whether they were stored directly

    def begin(self, write: Write) -> Write:
        """Remember a write before it is sent."""
        with self._lock:
            self.writes.append(write)
        return write

    def sends(self, write: Write) -> None:
        """Remember an attempt before it is made: from here on it may have happened."""
        with self._lock:
            write.attempts += 1

    def settled(self, write: Write) -> None:
        """Remember what a write has come to by the answer that was just given."""
        with self._lock:
            if write.outcome.accepted and not write.flawed:
                self._firsts[write.first is Outcome.STORED] += 1

    def answered(self, answer: Answer) -> None:
        """Remember an answer, or that none came."""
        with self._lock:
            self.answers.append(answer)

    def absorbs(self) -> None:
        """Remember that a repeat was answered as the same write."""
        with self._lock:
            self.absorbed += 1

    def breach(self, text: str) -> None:
        """Remember an answer that the contract does not allow."""
        with self._lock:
            self.breaches[text] += 1

    def count(self, what: str) -> None:
        """Count something worth telling that decides nothing."""
        with self._lock:
            self.counted[what] += 1

    def add(self, other: History) -> None:
        """Take over what another process remembers."""
        with self._lock:
            self.writes += other.writes
            self.answers += other.answers
            self.breaches += other.breaches
            self.counted += other.counted
            self.absorbed += other.absorbed
            self._firsts += other._firsts

    def stored_directly(self) -> int:
        """Accepted writes whose first attempt was answered 'stored'."""
        return self._firsts[True]

    def share_stored_directly(self) -> float:
        """Of the accepted writes, the share whose first attempt was answered 'stored'."""
        return self._firsts[True] / max(1, self._firsts[True] + self._firsts[False])

    def slowest(self) -> dict[Kind, float]:
        """The longest wait for an answer that came, by kind."""
        with self._lock:
            return _slowest(self.answers)

    def outcomes(self) -> Counter[str]:
        """Answers to writes by what they said, every attempt counted."""
        with self._lock:
            return Counter(answer.outcome.value for answer in self.answers if answer.outcome is not None)


def _slowest(answers: Iterable[Answer]) -> dict[Kind, float]:
    longest: dict[Kind, float] = {}
    for answer in answers:
        if answer.status:
            longest[answer.kind] = max(answer.seconds, longest.get(answer.kind, 0.0))
    return longest
