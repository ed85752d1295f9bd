"""Puts the room into the app."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request
from flask_wtf.csrf import CSRFProtect

from academia.acesso import textos
from academia.acesso.arquivo import AcessoIlegivel
from academia.acesso.barreira import barreira
from academia.acesso.cabecalhos import por_cabecalhos
from academia.acesso.cli import grupo_usuarios
from academia.acesso.hospedeiro import Hospedeiros
from academia.acesso.interface import COOKIE, Interface
from academia.acesso.quem import pode, usuario_atual
from academia.acesso.sala import NOME, Acesso
from academia.acesso.usuarios_views import usuarios
from academia.acesso.views import acesso
from academia.api.problemas import e_para_pessoa, resposta_de_problema
from academia.settings import Settings

_log = logging.getLogger(__name__)


def instalar(app: Flask, settings: Settings) -> None:
    """Sessions, the barrier before every request, the headers after it, the pages and the command."""
    app.extensions[NOME] = Acesso(settings.var / "acesso.db", settings.secret_key)
    app.session_interface = Interface()
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # the barrier does, after it has looked who asks
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # the barrier looks at the origin
    )
    CSRFProtect(app)
    app.before_request(_recusar_outros_nomes(Hospedeiros(settings)))
    app.before_request(barreira)
    app.after_request(por_cabecalhos)
    app.register_error_handler(AcessoIlegivel, _ilegivel)
    app.context_processor(_para_as_paginas)
    app.register_blueprint(acesso)
    app.register_blueprint(usuarios)
    app.cli.add_command(grupo_usuarios)
    app.jinja_env.globals["academia"] = {
        "nome": settings.nome,
        "suporte": settings.suporte,
        "versao": importlib.metadata.version("robusto"),
    }


def _recusar_outros_nomes(hospedeiros: Hospedeiros) -> Callable[[], None]:
    def recusar() -> None:
        if not hospedeiros.confia(request.host):
            abort(400)

    return recusar


def _para_as_paginas() -> dict[str, Any]:
    return {"usuario": usuario_atual(), "pode": pode}


def _ilegivel(erro: AcessoIlegivel) -> Response:
    """A fault of ours: it is said so, and nothing was done."""
    _log.error("users and sessions cannot be read or written: %s", erro)
    if e_para_pessoa():
        resposta = make_response(render_template("acesso/recusado.html", motivo=textos.ILEGIVEL), 503)
        resposta.headers["Retry-After"] = "5"
        return resposta
    return resposta_de_problema("desconhecido", detail=textos.ILEGIVEL)
