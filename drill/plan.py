"""What is sent, by whom and when: drawn from the seed before anything starts. And what a run has to prove."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass
from typing import Any

CLIENTS, SUBMITTERS = 8, 3
WRITERS = CLIENTS + SUBMITTERS
"""Strangers at the HTTP interface, and processes that open the engine themselves; each one is a writer."""
EDITED = 5 * WRITERS
REGISTERS_A_SECOND, EDITS_A_SECOND = 27, 21
SECONDS, FULL_SECONDS = 225.0, 1200.0
BURST = 6
"""So many edits of one student follow each other without a pause: only neighbours can overtake each other."""
DOOMED = "doomed"
"""Stands in `observacoes` of a student that the witness in PostgreSQL refuses at COMMIT."""
_GHOSTS, _FLAWED, _EXTRA, _EXTRA_DOOMED = 900_000, 800_000, 700_000, 600_000
# Of a hundred registrations two carry the same CPF and six are doomed; those below EDITED are neither.
_HUNDRED, _RIVALS, _DOOMED = 100, (60, 61), (65, 70, 75, 80, 85, 90)


class Step(enum.Enum):
    """What a writer does at its turn."""

    REGISTER = "register"
    EDIT = "edit"


@dataclass(frozen=True)
class Demands:
    """What a run has to show before its silence proves anything; twenty minutes owe exactly this."""

    operations: int = 50_000
    faults: int = 100
    kinds: int = 20
    uncertain: int = 200
    """Commits that were cut, so that nobody could know how they ended."""
    absorbed: int = 100
    """Writes sent again and answered as the same write."""
    refused_late: int = 50
    """Refusals that followed an unanswered attempt."""
    direct: float = 0.3
    """Share of the accepted writes that PostgreSQL had at the first answer."""

    def in_proportion(self, seconds: float) -> Demands:
        """The same for a run of this length; a short one has fewer kinds of faults than faults."""
        share = seconds / FULL_SECONDS
        faults = round(self.faults * share)
        return Demands(
            operations=round(self.operations * share),
            faults=faults,
            kinds=min(self.kinds, round(faults * 0.7)),
            uncertain=round(self.uncertain * share),
            absorbed=round(self.absorbed * share),
            refused_late=round(self.refused_late * share),
            direct=self.direct,
        )


@dataclass(frozen=True)
class Plan:
    """How much is sent, at one fixed pace, whatever the length."""

    seconds: float = SECONDS

    @property
    def registers(self) -> int:
        """How many students are registered; enough for everybody to have some to edit."""
        return max(EDITED, round(REGISTERS_A_SECOND * self.seconds))

    @property
    def edits(self) -> int:
        """How many edits are sent."""
        return max(EDITED, round(EDITS_A_SECOND * self.seconds))

    @property
    def demands(self) -> Demands:
        """What this run has to show."""
        return Demands().in_proportion(self.seconds)

    @classmethod
    def lasting(cls, minutes: float | None) -> Plan:
        """The plan for this many minutes; the usual one for None."""
        return cls() if minutes is None else cls(minutes * 60)

    def numbers(self, writer: int) -> list[int]:
        """The students that this writer registers, those that it will edit first."""
        return list(range(writer, self.registers, WRITERS))

    def steps(self, writer: int, seed: int) -> list[tuple[float, Step]]:
        """The writer's turns: seconds after the start, and what to do."""
        own = self.numbers(writer)
        early = sum(number < EDITED for number in own)
        edits = len(range(writer, self.edits, WRITERS))
        bursts = [
            [Step.EDIT] * len(range(first, min(first + BURST, edits))) for first in range(0, edits, BURST)
        ]
        rest = [[Step.REGISTER]] * (len(own) - early) + bursts
        random.Random(f"{seed} steps {writer}").shuffle(rest)
        pace = self.seconds / max(1, len(own) + edits)
        turns: list[tuple[float, Step]] = []
        for steps in [[Step.REGISTER]] * early + rest:
            turns += [(pace * (len(turns) + writer / WRITERS), step) for step in steps]
        return turns


def student(number: int) -> dict[str, Any]:
    """An invented student, visibly so: no Brazilian mobile number starts with 90000."""
    body = {"nome": f"Aluno Inventado {number:06d}", "telefone": phone(number)}
    if rival(number):
        body["cpf"] = cpf(number // _HUNDRED)
    if doomed(number):
        body["observacoes"] = DOOMED
    return body


def rival(number: int) -> bool:
    """Whether another student of the plan carries the same CPF."""
    return number < _EXTRA_DOOMED and number % _HUNDRED in _RIVALS


def doomed(number: int) -> bool:
    """Whether PostgreSQL will refuse this student at COMMIT."""
    return number < _EXTRA and (number >= _EXTRA_DOOMED or number % _HUNDRED in _DOOMED)


def ghost(number: int) -> dict[str, Any]:
    """The other body sent with a used key: nobody of this name may ever exist."""
    return student(_GHOSTS + number)


def flawed(number: int) -> dict[str, Any]:
    """A student without any contact: to be refused."""
    return {"nome": f"Aluno Inventado {_FLAWED + number:06d}"}


def extra(number: int) -> int:
    """The number of a student beyond the plan."""
    return _EXTRA + number


def extra_doomed(number: int) -> int:
    """The number of a doomed student beyond the plan."""
    return _EXTRA_DOOMED + number


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
