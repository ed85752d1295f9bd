"""What an import did, record by record where there is something to say. Holds no personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Resultado(Enum):
    """What became of one record."""

    IMPORTADO = "importados"
    ATUALIZADO = "atualizados"
    IGUAL = "iguais"
    RECUSADO = "recusados"


@dataclass(slots=True)
class Relatorio:
    """Counts and reports; `pendentes` of the imported and updated ones wait for PostgreSQL."""

    contagem: dict[Resultado, int] = field(default_factory=lambda: dict.fromkeys(Resultado, 0))
    pendentes: int = 0
    relatos: list[dict[str, Any]] = field(default_factory=list)
    interrompido: str = ""

    def contar(self, resultado: Resultado) -> None:
        """One more."""
        self.contagem[resultado] += 1

    def relatar(self, registro: int, motivo: str, linha: int | None = None) -> None:
        """Say something about the n-th record of the file."""
        self.relatos.append({"registro": registro, "motivo": motivo} | ({"linha": linha} if linha else {}))

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        contagem = {resultado.value: n for resultado, n in self.contagem.items()}
        return contagem | {"pendentes": self.pendentes, "relatos": self.relatos}
