"""What one seed is about: how much of everything, and which faults may come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

FAULTS = (
    "kill", "stall", "drainer sleeps", "outage", "flap", "freeze", "login refused", "commit lost before",
    "commit lost after", "commit late", "deadlock", "odd code", "refused for a while", "server's disk full",
    "read only", "broken connection", "row locked", "kind forbidden", "wall clock jumps", "journal full",
    "flush fails", "copies fail", "entry damaged", "old program", "set back",
    "set back while the drainer sleeps",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Drawn at the beginning; a seed has a few faults often rather than all of them seldom."""

    hosts: int
    nodes: int
    clients: int
    writes: int
    pool: int
    lease: float
    switching: float
    pause: float
    orderings: int
    poison: float
    parents: float
    repeats: float
    other_bodies: float
    operators: bool
    abroad: float
    copied: float
    pace: float
    faults: tuple[str, ...]

    @classmethod
    def drawn(cls, dice: random.Random, faults: Sequence[str] | None = None) -> Plan:
        """One plan, with these faults or with some that are drawn too."""
        few = dice.choice([1, 3, 6, len(FAULTS)])
        return cls(
            hosts=dice.choice([1, 1, 2]),
            nodes=dice.randint(1, 3),
            clients=dice.randint(2, 4),
            writes=dice.randint(3, 8),
            pool=dice.choice([1, 3, 8]),
            lease=dice.choice([3.0, 10.0]),
            switching=dice.choice([0.05, 0.3, 0.8]),
            pause=dice.choice([0.05, 0.5, 2.0]),
            orderings=dice.randint(1, 4),
            poison=dice.choice([0.0, 0.1, 0.3]),
            parents=dice.choice([0.0, 0.2]),
            repeats=dice.choice([0.0, 0.2, 0.5]),
            other_bodies=dice.choice([0.0, 0.1]),
            operators=dice.random() < 0.7,
            abroad=dice.choice([0.1, 0.5]),
            copied=dice.choice([0.0, 0.2]),
            pace=dice.choice([0.3, 1.0, 3.0]),
            faults=_possible(dice.sample(FAULTS, few) if faults is None else faults),
        )


def _possible(faults: Sequence[str]) -> tuple[str, ...]:
    """A direct write whose copy failed is not promised to outlive a restored PostgreSQL."""
    without = "copies fail" if any(fault.startswith("set back") for fault in faults) else ""
    return tuple(fault for fault in FAULTS if fault in faults and fault != without)
