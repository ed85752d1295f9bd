"""The four outcomes of one guarded attempt; both callers match them exhaustively."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Scope(Enum):
    """How much a `Held` outcome stops."""

    ENTRY = "entry"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class Applied:
    """The effect and its ledger row are committed in PostgreSQL.

    `duplicate`: another submit had already put it there; ours changed nothing.
    """

    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The server as a whole cannot take writes now.

    `maybe_applied`: a COMMIT was sent and never answered. `again`: another try within the same
    deadline may help (a lost connection does, a refused one does not). `alarm`: a person must act.
    """

    reason: str
    maybe_applied: bool = False
    again: bool = False
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """This entry, or every entry of this kind, cannot go *now*; the server is well.

    `retry_after`: seconds before it is worth another try. `patience`: seconds after which waiting
    turns into quarantine, None for never. `alarm`: a person must act.
    """

    reason: str
    scope: Scope = Scope.ENTRY
    retry_after: float = 1.0
    patience: float | None = None
    maybe_applied: bool = False
    again: bool = False
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for a reason that the caller can mend; rolled back for certain.

    `reason` is a stable code without personal data; `constraint` names the broken constraint;
    `detail` is for the caller alone (values seen in a conflict) and is never logged.
    """

    reason: str
    constraint: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)


Outcome = Applied | Unavailable | Held | Rejected
