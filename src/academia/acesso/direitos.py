"""Papel × direito: the whole table of who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ADMINISTRADOR: Final = "administrador"
RECEPCAO: Final = "recepcao"
PROFESSOR: Final = "professor"
AUDITOR: Final = "auditor"

DIREITOS: Final = ("ver", "operar", "corrigir", "revelar", "administrar")

PAPEIS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        ADMINISTRADOR: frozenset(DIREITOS),
        RECEPCAO: frozenset(),
        PROFESSOR: frozenset(),
        AUDITOR: frozenset({"ver"}),
    }
)


def tem(papel: str, direito: str) -> bool:
    """Whether this papel has the right. What is not in the table has none."""
    return direito in PAPEIS.get(papel, ())
