"""Kinds and their handlers: the functions and statements that apply a write in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from robusto.errors import ConfigError
from robusto.write import Payload


class Result(Protocol):
    """What `Transaction.execute` gives back."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


class Transaction(Protocol):
    """What a handler may do: run statements in the transaction that also holds the ledger row."""

    def execute(self, sql: str, params: Mapping[str, Any] | tuple[Any, ...] | None = None) -> Result:
        """Run one statement; `%s` or `%(name)s` placeholders."""


Apply = Callable[[Transaction, Payload], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind takes effect. It reads no clock, sequence or random number and returns nothing.

    It has to change at least one row by a statement of its own: an INSERT, UPDATE, DELETE, MERGE or
    COPY; what a function changes that is called by SELECT is not seen.
    """

    kind: str
    apply: Apply


class Handlers:
    """The kinds that this program knows, by their stored names and aliases."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Handler] = {}

    def add(self, kind: str, apply: Apply, aliases: tuple[str, ...] = ()) -> None:
        """Register a function. Raises ConfigError when a name is taken."""
        handler = Handler(kind, apply)
        for name in (kind, *aliases):
            if name in self._by_kind:
                raise ConfigError(f"the kind {name!r} has a handler already")
            self._by_kind[name] = handler

    def add_statement(self, kind: str, sql: str, aliases: tuple[str, ...] = ()) -> None:
        """Register one SQL statement with `%(name)s` placeholders for the payload's fields."""

        def apply(tx: Transaction, payload: Payload) -> None:
            tx.execute(sql, payload)

        self.add(kind, apply, aliases)

    def get(self, kind: str) -> Handler | None:
        """The handler of a kind, or None when this program does not know it."""
        return self._by_kind.get(kind)

    def kinds(self) -> frozenset[str]:
        """Every name that is known."""
        return frozenset(self._by_kind)
