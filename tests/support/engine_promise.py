"""I0, in one place: what was answered to whom, held against PostgreSQL, the journal and this process."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from robusto import Config, Engine, NotAccepted, Receipt, WriteRejected, WriteState
from robusto.write import Payload
from tests.support.engine_kit import Shop, drained, note, wait_for

#: Seconds beside the deadline that a busy machine and the journal may take; a hang would take for ever.
_NOISE = 4.0


@dataclass(frozen=True)
class Said:
    """One write and what its sender was told."""

    kind: str
    value: str
    payload: Mapping[str, Any]
    ordering: Collection[str]
    answer: Receipt | WriteRejected | NotAccepted
    at: datetime

    @property
    def accepted(self) -> Receipt | None:
        return self.answer if isinstance(self.answer, Receipt) else None


class Sender(Protocol):
    """An engine, or whoever hands writes on to one."""

    @property
    def config(self) -> Config: ...

    def submit(
        self, kind: str, payload: Payload, *, key: str | None = None, ordering_keys: Collection[str] = ()
    ) -> Receipt: ...


@dataclass
class Promise:
    """Sends writes whose effect is one row of history each, and remembers every answer."""

    shop: Shop
    said: dict[str, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = _used()

    def send(
        self,
        engine: Sender,
        value: str,
        *,
        kind: str = "note",
        ordering: Collection[str] = ("a",),
        payload: Mapping[str, Any] | None = None,
    ) -> Said:
        """Hand over one write; its key is its value. It has to be answered inside the deadline."""
        body = note(value) if payload is None else payload
        began = time.monotonic()
        answer: Receipt | WriteRejected | NotAccepted
        try:
            answer = engine.submit(kind, body, key=value, ordering_keys=ordering)
        except (WriteRejected, NotAccepted) as error:
            answer = error
        assert time.monotonic() - began < engine.config.deadline_seconds + _NOISE
        said = Said(kind, value, body, ordering, answer, datetime.now(UTC))
        self.said[value] = said
        return said

    def states(self) -> set[WriteState | None]:
        """Every kind of answer that was given."""
        return {each.accepted.state if each.accepted else None for each in self.said.values()}

    def kept(self, engine: Engine, *, quarantined: Collection[str] = (), close: bool = True) -> None:
        """Drain, and hold everything against everything. `quarantined`: values that had to end there.

        Closes the engine, to see that it leaves no thread and no descriptor behind.
        """
        drained(engine, 30)
        self._effects(quarantined)
        self._order(quarantined)
        self._ledger(quarantined)
        self._answers(engine, quarantined)
        self._books(engine, quarantined)
        if close:
            engine.close()
            with suppress(AssertionError):
                wait_for(lambda: _leaked(self._before) == ([], []), 10)
            assert _leaked(self._before) == ([], []), _leaked(self._before)

    def _effects(self, quarantined: Collection[str]) -> None:
        effects = Counter(self.shop.history())
        assert set(effects) <= set(self.said), "an effect that nobody sent"
        for value, said in self.said.items():
            match said.answer:
                case Receipt():
                    assert effects[value] == (0 if value in quarantined else 1), value
                case NotAccepted(maybe_applied=True):
                    assert effects[value] <= 1, value
                case _:
                    assert effects[value] == 0, value

    def _order(self, quarantined: Collection[str]) -> None:
        history = self.shop.history()
        chains = {key for said in self.said.values() for key in said.ordering}
        for chain in chains:
            sent = [
                value
                for value, said in self.said.items()
                if chain in said.ordering and said.accepted and value not in quarantined
            ]
            assert [value for value in history if value in sent] == sent

    def _ledger(self, quarantined: Collection[str]) -> None:
        rows = self.shop.rows("SELECT key, state, applied_at FROM robusto_ledger")
        by_key = {key: (state, applied_at) for key, state, applied_at in rows}
        assert len(by_key) == len(rows)
        assert sum(state == "applied" for state, _ in by_key.values()) == len(self.shop.history())
        for value, said in self.said.items():
            if said.accepted is None:
                continue
            state, applied_at = by_key[said.accepted.id]
            assert state == ("fenced" if value in quarantined else "applied")
            if said.accepted.state is WriteState.STORED:
                assert applied_at <= said.at, f"{value} was called stored before it was"

    def _answers(self, engine: Engine, quarantined: Collection[str]) -> None:
        """Asked again, by number or by sending it again, everybody is told the same."""
        effects = self.shop.history()
        for value, said in self.said.items():
            if said.accepted is None:
                continue
            state = WriteState.QUARANTINED if value in quarantined else WriteState.STORED
            found = engine.find(said.accepted.id)
            assert found is not None and found.state is state
        again = next((each for each in self.said.values() if each.accepted), None)
        if again is not None and again.value not in quarantined and again.kind in engine.kinds():
            receipt = engine.submit(again.kind, again.payload, key=again.value)
            assert again.accepted is not None
            assert (receipt.id, receipt.duplicate) == (again.accepted.id, True)
        assert self.shop.history() == effects

    def _books(self, engine: Engine, quarantined: Collection[str]) -> None:
        counts = engine.inspect()[0]
        assert counts.balanced and counts.quarantined == len(quarantined)
        assert {each.id for each in engine.quarantine.list()} == {
            said.accepted.id for value, said in self.said.items() if said.accepted and value in quarantined
        }
        assert engine.verify().findings == []


def _used() -> tuple[set[threading.Thread], dict[str, str]]:
    """Threads and descriptors of this process."""
    open_files = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            open_files[name] = os.readlink(f"/proc/self/fd/{name}")
    return set(threading.enumerate()), open_files


def _leaked(before: tuple[set[threading.Thread], dict[str, str]]) -> tuple[list[str], list[str]]:
    """What is there now and was not then."""
    threads, open_files = _used()
    new = [path for name, path in open_files.items() if before[1].get(name) != path]
    return [thread.name for thread in threads - before[0]], [path for path in new if "/proc/" not in path]
