"""Finding students: in PostgreSQL while it answers, else in the local copy; pending writes over both."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.consulta import Consulta, Posicao
from academia.alunos.copia import LINHA, linhas_da_copia
from academia.alunos.sobrepor import Linha, alunos_tocados, sobrepor
from academia.alunos.tipos import TIPOS
from robusto.errors import DatabaseUnavailable
from robusto.handlers import Transaction
from robusto.write import Write, WriteState

if TYPE_CHECKING:
    from robusto import Engine


@dataclass(frozen=True, slots=True)
class Pedido:
    """Which students are asked for, and which part of them."""

    consulta: Consulta
    limite: int
    depois: Posicao | None = None

    def inclui(self, linha: Linha) -> bool:
        """Whether a row is found and stands behind the part that was given already."""
        if not self.consulta.encontra(linha):
            return False
        return self.depois is None or self.consulta.posicao(linha) > self.depois


@dataclass(frozen=True, slots=True)
class Pagina:
    """Some of the students that were found, in order; `proxima` where more of them follow."""

    linhas: Sequence[Linha]
    proxima: Posicao | None
    fonte: str
    idade_segundos: float | None


def listar(motor: Engine, pedido: Pedido) -> Pagina:
    """One page. Never raises DatabaseUnavailable: without PostgreSQL the local copy answers."""
    gravacoes = inacabadas(motor)
    achadas: Iterable[Linha]
    idade: float | None
    try:
        achadas, tocadas = motor.read(lambda tx: _do_banco(tx, pedido, alunos_tocados(gravacoes)))
        fonte, idade = "banco", 0.0
    except DatabaseUnavailable:
        tocadas, idade = linhas_da_copia(motor)
        achadas, fonte = filter(pedido.inclui, tocadas.values()), "copia"
    mudadas = sobrepor(tocadas, gravacoes)
    candidatas = [linha for linha in achadas if linha["id"] not in mudadas]
    candidatas += filter(pedido.inclui, mudadas.values())
    return _pagina(candidatas, pedido, fonte, idade)


def um(motor: Engine, id_aluno: UUID) -> Linha | None:
    """One student. Raises DatabaseUnavailable when it is not known here and PostgreSQL cannot be asked."""
    gravacoes = inacabadas(motor)
    chave, fora_do_ar = str(id_aluno), None
    try:
        base: Mapping[str, Linha] = motor.read(lambda tx: por_id(tx, [chave]))
    except DatabaseUnavailable as erro:
        fora_do_ar = erro
        base, _ = linhas_da_copia(motor)
    linha = sobrepor(base, gravacoes).get(chave) or base.get(chave)
    if linha is None and fora_do_ar is not None:
        raise fora_do_ar
    return linha


def inacabadas(motor: Engine) -> Sequence[tuple[Write, WriteState]]:
    """Read before the rows: a write that is stored in between is then seen twice, never not at all.

    Raises JournalError: a list without what may be pending would be a wrong answer.
    """
    return motor.unfinished(TIPOS)


def _pagina(candidatas: list[Linha], pedido: Pedido, fonte: str, idade: float | None) -> Pagina:
    consulta, limite = pedido.consulta, pedido.limite
    primeiras = heapq.nsmallest(limite + 1, candidatas, key=consulta.posicao)
    ha_mais = len(primeiras) > limite
    linhas = primeiras[:limite]
    return Pagina(linhas, consulta.posicao(linhas[-1]) if ha_mais else None, fonte, idade)


def _do_banco(tx: Transaction, pedido: Pedido, tocados: list[str]) -> tuple[list[Linha], Mapping[str, Linha]]:
    """The students that are found, without those that pending writes touch; and those, found or not."""
    return _achados(tx, pedido, tocados), por_id(tx, tocados)


def _achados(tx: Transaction, pedido: Pedido, exceto: list[str]) -> list[Linha]:
    condicao, parametros = pedido.consulta.condicao()
    partes, da_ordem = pedido.consulta.ordem()
    ordem, depois = ", ".join(partes), ""
    if pedido.depois is not None:
        limites = ["%(depois_exata)s", "%(depois_busca)s", "%(depois_id)s::uuid"][-len(partes) :]
        depois = f"AND ({ordem}) > ({', '.join(limites)})"
        da_ordem |= dict(zip(("depois_exata", "depois_busca", "depois_id"), pedido.depois, strict=True))
    sql = (
        f"SELECT {LINHA} FROM alunos WHERE {condicao} AND id <> ALL (%(exceto)s::uuid[]) {depois} "
        f"ORDER BY {ordem} LIMIT %(limite)s"
    )
    parametros |= da_ordem | {"exceto": exceto, "limite": pedido.limite + 1}
    return [linha for (linha,) in tx.execute(sql, parametros).fetchall()]


def por_id(tx: Transaction, ids: list[str]) -> Mapping[str, Any]:
    if not ids:
        return {}
    sql = f"SELECT {LINHA} FROM alunos WHERE id = ANY (%s::uuid[])"
    return {linha["id"]: linha for (linha,) in tx.execute(sql, (ids,)).fetchall()}
