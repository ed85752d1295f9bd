"""The blueprint: who may use the front desk, and what is answered when a page of it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from academia.acesso import exige_login, usuario_atual
from academia.acesso.direitos import ADMINISTRADOR, RECEPCAO
from academia.alunos.writes import Remetente
from academia.api.sala import sala
from academia.balcao import textos
from academia.balcao.envio import NAMESPACE
from academia.balcao.frase import Frase
from robusto import Engine
from robusto.errors import DatabaseUnavailable, JournalError

P = ParamSpec("P")

_log = logging.getLogger(__name__)

balcao = Blueprint("balcao", __name__)

#: Who registers and finds people. Teachers get their own pages; an auditor reads masked, in the console.
PAPEIS = frozenset({ADMINISTRADOR, RECEPCAO})
CABECALHO_DE_FRAGMENTO = "X-Fragmento"


def motor() -> Engine:
    """The engine of the running app."""
    return sala().motor


def usa_balcao() -> bool:
    """Whether the person who is logged in works at the front desk."""
    usuario = usuario_atual()
    return usuario is not None and usuario.papel in PAPEIS


def do_balcao(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """For a view: only for people who work at the front desk."""

    @wraps(view)
    def guardada(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return view(*args, **kwargs) if usa_balcao() else pagina_de_aviso(textos.SEM_BALCAO, 403)

    return exige_login(guardada)


def remetente(chave: str) -> Remetente:
    """The person who is logged in, with the key of the form."""
    usuario = usuario_atual()
    return Remetente(NAMESPACE, chave, "" if usuario is None else usuario.login)


def colunas_ocultas(linha: Mapping[str, Any] | None) -> tuple[str, ...]:
    """With a social name the civil one is for administrators only."""
    usuario = usuario_atual()
    ve_tudo = usuario is not None and usuario.papel == ADMINISTRADOR
    tem_nome_social = linha is not None and bool(linha.get("nome_social"))
    return ("nome",) if tem_nome_social and not ve_tudo else ()


def e_fragmento() -> bool:
    """Whether the script of the page asks for a part of it."""
    return CABECALHO_DE_FRAGMENTO in request.headers


def fragmento(modelo: str, **dados: object) -> ResponseReturnValue:
    """A part of a page, marked so that the script never takes another page for it."""
    resposta = make_response(render_template(modelo, **dados))
    resposta.headers[CABECALHO_DE_FRAGMENTO] = "1"
    return resposta


def pagina_de_aviso(frase: Frase, status: int) -> ResponseReturnValue:
    """A page that says one thing."""
    return make_response(render_template("balcao/aviso.html", frase=frase), status)


@balcao.errorhandler(DatabaseUnavailable)
def _sem_banco(_: DatabaseUnavailable) -> ResponseReturnValue:
    return pagina_de_aviso(textos.DESCONHECIDO, 503)


@balcao.errorhandler(JournalError)
def _sem_fila(erro: JournalError) -> ResponseReturnValue:
    _log.error("the journal cannot be read: %s", erro)
    return pagina_de_aviso(textos.FILA_ILEGIVEL, 503)


def da_chave(chave: str) -> bool:
    """Whether this is a key as forms have it."""
    try:
        return UUID(hex=chave).hex == chave
    except ValueError:
        return False
