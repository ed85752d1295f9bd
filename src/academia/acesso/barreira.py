"""Before every request: nobody gets past who is not logged in, and no form that is not ours.

What is open stands in `ABERTOS`; a new address is closed until somebody decides otherwise.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, current_app, make_response, redirect, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect

from academia.acesso import textos
from academia.acesso.arquivo import AcessoIlegivel
from academia.acesso.destino import esta_pagina
from academia.acesso.interface import sessao_atual
from academia.acesso.quem import usa_token, usuario_atual
from academia.acesso.respostas import formulario_recusado, nao_entrou, proibido, sem_efeito
from academia.api.problemas import abaixo_de_api

#: Endpoints that need no login. Those of the extension decide for themselves.
ABERTOS = frozenset({"static", "robusto.static", "robusto.livez", "robusto.readyz", "robusto.metrics"})
_DE_ENTRADA = frozenset({"acesso.formulario_de_entrada", "acesso.entrar"})
_COM_SENHA_A_TROCAR = frozenset({"acesso.formulario_de_senha", "acesso.mudar_senha", "acesso.sair"})
_DA_EXTENSAO = "robusto"
#: A stranger's form is read, but not his files: they would fill the disk.
_DE_ESTRANHO_BYTES = 1 << 20
_STATUS = "/sistema/status"


def barreira() -> Response | None:
    """None lets the request pass. Raises AcessoIlegivel where nobody can tell who asks."""
    if request.endpoint in ABERTOS or abaixo_de_api() or usa_token():
        return None  # below /api only tokens count: see academia.api.autenticacao
    if sessao_atual().ilegivel:
        raise AcessoIlegivel
    if usuario_atual() is None:
        request.max_content_length = _DE_ESTRANHO_BYTES
    recusa = None if request.endpoint in _DE_ENTRADA else _de_quem_nao_pode()
    if recusa is not None or sem_efeito():
        return recusa
    return _de_formulario_alheio()


def _de_quem_nao_pode() -> Response | None:
    usuario = usuario_atual()
    if usuario is None:
        if not sem_efeito():
            return nao_entrou()
        # The extension asks `autoriza` itself; an address that does not exist is a 404 for everybody.
        return None if request.blueprint == _DA_EXTENSAO or request.endpoint is None else nao_entrou()
    if not usuario.deve_trocar or request.endpoint in _COM_SENHA_A_TROCAR:
        return None
    if sem_efeito() and request.path != _STATUS:
        destino = url_for("acesso.formulario_de_senha", proximo=esta_pagina())
        return make_response(redirect(destino, 303))
    return proibido(textos.TROQUE_A_SENHA)


def _de_formulario_alheio() -> Response | None:
    """CSRF: the page that sends this must be ours, and of this session."""
    if not _da_mesma_origem():
        return proibido(textos.OUTRA_ORIGEM)
    protecao: CSRFProtect = current_app.extensions["csrf"]
    try:
        protecao.protect()
    except CSRFError:
        return formulario_recusado()
    return None


def _da_mesma_origem() -> bool:
    """Browsers say where a form comes from. The scheme is left out: a proxy may have taken the TLS away."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return False
    origem = request.headers.get("Origin")
    if origem is None:
        return True
    try:
        return urlsplit(origem).netloc == request.host
    except ValueError:
        return False
