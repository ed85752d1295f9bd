"""What a person is told: a sentence with a stable code, its colour, and how urgently it is read out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frase:
    """`titulo` is what happened, `resto` what happens next and what to do."""

    codigo: str
    titulo: str
    resto: str = ""
    cor: str = "red"

    @property
    def papel(self) -> str:
        """Good news waits for its turn; a refusal is read out at once."""
        return "alert" if self.cor == "red" else "status"
