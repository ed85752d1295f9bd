"""What this host has accepted, laid over rows that do not show it yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from academia.alunos.campos import COLUNAS
from academia.alunos.normalizar import texto_de_busca
from academia.alunos.tipos import CADASTRAR, EDITAR
from academia.gravacoes.estados import ESTADOS, QUARENTENA
from robusto.write import Write, WriteState

Linha = Mapping[str, Any]


def alunos_tocados(gravacoes: Iterable[tuple[Write, WriteState]]) -> list[str]:
    """The ids of the students that these writes are about."""
    return list({str(gravacao.payload["id"]): None for gravacao, _ in gravacoes})


def sobrepor(base: Mapping[str, Linha], gravacoes: Iterable[tuple[Write, WriteState]]) -> dict[str, Linha]:
    """The rows that the writes make or change, in order, each with its `estado`.

    A registration that `base` holds already has been stored meanwhile. An edit in quarantine was
    refused: it marks the student and changes nothing. An edit of a student who is not known here is
    left out, since there is nothing to show it on.
    """
    mudadas: dict[str, Linha] = {}
    for gravacao, estado in gravacoes:
        id_aluno = str(gravacao.payload["id"])
        atual = mudadas.get(id_aluno) or base.get(id_aluno)
        if gravacao.kind == CADASTRAR and atual is None:
            mudadas[id_aluno] = {**cadastrada(gravacao.payload), "estado": ESTADOS[estado]}
        elif gravacao.kind == EDITAR and atual is not None:
            mudadas[id_aluno] = _editada(atual, gravacao.payload, estado)
    return mudadas


def cadastrada(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The row that a registration makes."""
    colunas = payload.get("aluno", {})
    linha = {coluna: colunas.get(coluna) for coluna in COLUNAS}
    return {**linha, "id": str(payload["id"]), "protocolo": payload["protocolo"], "busca": _busca(linha)}


def _editada(atual: Linha, payload: Mapping[str, Any], estado: WriteState) -> Linha:
    pior = QUARENTENA if atual.get("estado") == QUARENTENA else ESTADOS[estado]
    if estado is WriteState.QUARANTINED:
        return {**atual, "estado": pior}
    mudancas = {c: v for c, v in payload.get("mudancas", {}).items() if c in COLUNAS}
    linha = {**atual, **mudancas, "estado": pior}
    return {**linha, "busca": _busca(linha)}


def _busca(linha: Linha) -> str:
    return texto_de_busca(linha.get("nome") or "", linha.get("nome_social"))
