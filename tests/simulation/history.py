"""What the clients know: every request with its answer, and every act of an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

ACCEPTED = ("stored", "pending", "quarantined", "discarded")


@dataclass(frozen=True, slots=True)
class Wish:
    """A write that somebody wants: the same key may be wanted with two bodies."""

    key: str
    body: str
    kind: str
    ordering: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    parent: str = ""
    row: str = ""
    poison: bool = False

    @property
    def payload(self) -> dict[str, Any]:
        """What the handler gets."""
        return {
            "key": self.key, "body": self.body, "kind": self.kind, "row": self.row,
            "parent": self.parent, "poison": self.poison,
        }  # fmt: skip

    @property
    def name(self) -> tuple[str, str]:
        """Key and body: what an effect can be told by."""
        return self.key, self.body


@dataclass(eq=False, slots=True)
class Request:
    """One call of `submit`; steps of the scheduler say what came before what."""

    wish: Wish
    host: int
    invoked: int
    #: None while it is on its way; "crashed" when its process died.
    answer: str | None = None
    ended: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether a promise was given."""
        return self.answer in ACCEPTED


@dataclass(frozen=True, slots=True)
class Act:
    """An operator's decision that was carried out, or may have been."""

    host: int
    id: UUID
    verb: str
    step: int


@dataclass
class History:
    """Everything that was asked for and answered."""

    requests: list[Request] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    #: Exceptions that nobody should ever see.
    surprises: list[str] = field(default_factory=list)
