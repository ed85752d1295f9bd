"""Who sends what, and when: drawn from the seed before anything starts."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass
from typing import Any

CLIENTS = 8
EDITED = 50
REGISTERS, EDITS, SECONDS = 2000, 1500, 225.0
UNCERTAIN = 100
BURST = 6
"""So many edits of one student follow each other without a pause: only neighbours can overtake each other."""
_GHOSTS, _FLAWED, _EXTRA = 900_000, 800_000, 700_000
_RIVALS_EVERY = 100  # of a hundred registrations, two carry the same CPF


class Step(enum.Enum):
    """What a client does at its turn."""

    REGISTER = "register"
    EDIT = "edit"


@dataclass(frozen=True)
class Plan:
    """How much is sent, at one fixed pace, whatever the length."""

    registers: int = REGISTERS
    edits: int = EDITS
    seconds: float = SECONDS
    uncertain: int = UNCERTAIN
    """How many commits have to become uncertain for the run to prove something."""

    @property
    def full(self) -> bool:
        """Whether it is at least the usual length."""
        return self.seconds >= SECONDS

    @classmethod
    def lasting(cls, minutes: float | None) -> Plan:
        """The plan for this many minutes; the usual one for None."""
        if minutes is None:
            return cls()
        times = minutes * 60 / SECONDS
        return cls(
            max(EDITED, round(REGISTERS * times)),
            max(EDITED, round(EDITS * times)),
            minutes * 60,
            min(UNCERTAIN, round(UNCERTAIN * times)),
        )

    def numbers(self, client: int) -> list[int]:
        """The students that this client registers, those that it will edit first."""
        return list(range(client, self.registers, CLIENTS))

    def steps(self, client: int, seed: int) -> list[tuple[float, Step]]:
        """The client's turns: seconds after the start, and what to do."""
        own = self.numbers(client)
        early = sum(number < EDITED for number in own)
        edits = len(range(client, self.edits, CLIENTS))
        bursts = [
            [Step.EDIT] * len(range(first, min(first + BURST, edits))) for first in range(0, edits, BURST)
        ]
        rest = [[Step.REGISTER]] * (len(own) - early) + bursts
        random.Random(f"{seed} steps {client}").shuffle(rest)
        pace = self.seconds / max(1, len(own) + edits)
        turns: list[tuple[float, Step]] = []
        for steps in [[Step.REGISTER]] * early + rest:
            turns += [(pace * (len(turns) + client / CLIENTS), step) for step in steps]
        return turns


def student(number: int) -> dict[str, Any]:
    """An invented student, visibly so: no Brazilian mobile number starts with 90000."""
    body = {"nome": f"Aluno Inventado {number:06d}", "telefone": phone(number)}
    if number < _EXTRA and number % _RIVALS_EVERY in (60, 61):
        body["cpf"] = cpf(number // _RIVALS_EVERY)
    return body


def rival(number: int) -> bool:
    """Whether another student of the plan carries the same CPF."""
    return "cpf" in student(number)


def ghost(number: int) -> dict[str, Any]:
    """The other body sent with a used key: nobody of this name may ever exist."""
    return student(_GHOSTS + number)


def flawed(number: int) -> dict[str, Any]:
    """A student without any contact: to be refused."""
    return {"nome": f"Aluno Inventado {_FLAWED + number:06d}"}


def extra(number: int) -> int:
    """The number of a student beyond the plan."""
    return _EXTRA + number


def phone(number: int) -> str:
    """A telephone number that belongs to nobody."""
    return f"(11) 9{number // 10000:04d}-{number % 10000:04d}"


def cpf(number: int) -> str:
    """A CPF with right check digits, all but its last digits zero."""
    digits = [int(digit) for digit in f"{number + 1:09d}"]
    for length in (9, 10):
        weights = range(length + 1, 1, -1)
        digits.append(sum(d * w for d, w in zip(digits[:length], weights, strict=True)) * 10 % 11 % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"
