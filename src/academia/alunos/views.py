"""/api/alunos: register, change, find."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, request

from academia.alunos.campos import completo
from academia.alunos.leitura import ler_cadastro, ler_edicao
from academia.alunos.pagina import escrever_posicao, ler_pedido
from academia.alunos.queries import listar, um
from academia.alunos.sobrepor import Linha
from academia.alunos.writes import Aceito, Edicao, cadastrar, editar
from academia.api.corpo import objeto_json
from academia.api.problemas import CABECALHO_DA_CHAVE, Problema
from academia.api.remetente import remetente
from academia.api.sala import sala
from academia.gravacoes.estados import ESTADOS, GRAVADO
from robusto.write import WriteState

alunos = Blueprint("alunos", __name__, url_prefix="/api/alunos")

Resposta = tuple[dict[str, Any], int, dict[str, str]]

_CRIADO, _OK, _ACEITO = 201, 200, 202


@alunos.post("")
def registrar_aluno() -> Resposta:
    """Register a student."""
    pedido = objeto_json()
    de = remetente()
    colunas = ler_cadastro(pedido).colunas()
    return _resposta(cadastrar(sala().motor, colunas, de, pedido), _CRIADO)


@alunos.patch("/<id_aluno>")
def mudar_aluno(id_aluno: str) -> Resposta:
    """Change fields of a student."""
    aluno = _uuid(id_aluno)
    pedido = objeto_json()
    de = remetente()
    mudado = ler_edicao(pedido)
    visto = {} if mudado.visto is None else mudado.visto.colunas()
    pedido = {"id": str(aluno), "aluno": pedido}
    return _resposta(editar(sala().motor, aluno, Edicao(mudado.mudancas(), visto), de, pedido), _OK)


@alunos.get("")
def listar_alunos() -> dict[str, Any]:
    """Find students, a page at a time."""
    pagina = listar(sala().motor, ler_pedido(request.args))
    return {
        "alunos": [_apresentar(linha) for linha in pagina.linhas],
        "proximo": None if pagina.proxima is None else escrever_posicao(pagina.proxima),
        "fonte": pagina.fonte,
        "idade_segundos": pagina.idade_segundos,
    }


@alunos.get("/<id_aluno>")
def ver_aluno(id_aluno: str) -> dict[str, Any]:
    """One student."""
    linha = um(sala().motor, _uuid(id_aluno))
    if linha is None:
        raise Problema("nao-encontrado")
    return _apresentar(linha)


def _uuid(texto: str) -> UUID:
    try:
        aluno = UUID(texto)
    except ValueError:
        raise Problema("nao-encontrado") from None
    if str(aluno) != texto.lower():  # UUID() forgives braces and prefixes
        raise Problema("nao-encontrado")
    return aluno


def _apresentar(linha: Linha) -> dict[str, Any]:
    onde = {"estado": linha.get("estado", GRAVADO)}
    return {"id": linha["id"], "protocolo": linha["protocolo"], **completo(linha), **onde}


def _resposta(aceito: Aceito, gravado: int) -> Resposta:
    """201 or 200 for what is stored, 202 for what is accepted and not stored (yet)."""
    recibo = aceito.recibo
    corpo = {
        "id": str(aceito.id_aluno),
        "protocolo": aceito.protocolo,
        "gravacao": str(recibo.id),
        "estado": ESTADOS[recibo.state],
        "duplicado": recibo.duplicate,
    }
    status = gravado if recibo.state is WriteState.STORED else _ACEITO
    return corpo, status, {CABECALHO_DA_CHAVE: recibo.key}
