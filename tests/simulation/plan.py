"""What one seed is about: how much of everything, and which faults may come."""

from __future__ import annotations

import random
from dataclasses import dataclass

FAULTS = (
    "kill", "stall", "outage", "flap", "freeze", "login refused", "commit lost before", "commit lost after",
    "commit late", "deadlock", "odd code", "server's disk full", "read only", "broken connection",
    "row locked", "kind forbidden", "wall clock jumps", "journal full", "flush fails", "copies fail",
    "entry damaged", "old program",
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
    faults: tuple[str, ...]

    @classmethod
    def drawn(cls, dice: random.Random) -> Plan:
        """One plan."""
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
            faults=tuple(sorted(dice.sample(FAULTS, few), key=FAULTS.index)),
        )
