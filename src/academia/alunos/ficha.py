"""One student with what his page shows beside the fields: since when, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.copia import LINHA, linhas_da_copia
from academia.alunos.queries import inacabadas
from academia.alunos.sobrepor import Linha, sobrepor
from robusto.errors import DatabaseUnavailable
from robusto.handlers import Transaction
from robusto.write import Write, WriteState

if TYPE_CHECKING:
    from robusto import Engine

_SQL = f"SELECT {LINHA}, alterado_em FROM alunos WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Ficha:
    """`desde`: when the stored row last changed, None where it is not known. `de`: the time of the local
    copy, None where the answer is PostgreSQL's. `gravacoes`: unfinished writes about him, in order."""

    linha: Linha
    desde: datetime | None
    de: datetime | None
    gravacoes: Sequence[tuple[Write, WriteState]]


def ficha(motor: Engine, id_aluno: UUID) -> Ficha | None:
    """Raises DatabaseUnavailable when he is not known here and PostgreSQL cannot be asked; JournalError."""
    chave = str(id_aluno)
    gravacoes = [par for par in inacabadas(motor) if str(par[0].payload["id"]) == chave]
    desde: datetime | None = None
    de: datetime | None = None
    base: Mapping[str, Any] = {}
    fora_do_ar: DatabaseUnavailable | None = None
    try:
        if achada := motor.read(lambda tx: _linha(tx, chave)):
            base, desde = {chave: achada[0]}, achada[1]
    except DatabaseUnavailable as erro:
        fora_do_ar = erro
        base, idade = linhas_da_copia(motor)
        de = None if idade is None else datetime.now(UTC) - timedelta(seconds=idade)
    linha = sobrepor(base, gravacoes).get(chave) or base.get(chave)
    if linha is None:
        if fora_do_ar is not None:
            raise fora_do_ar
        return None
    return Ficha(linha, desde, de if chave in base else None, gravacoes)


def _linha(tx: Transaction, chave: str) -> tuple[Linha, datetime] | None:
    achada = tx.execute(_SQL, (chave,)).fetchone()
    return None if achada is None else (achada[0], achada[1])
