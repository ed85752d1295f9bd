"""The one place where the app is put together."""

from __future__ import annotations

import logging
import sys

from flask import Flask, request

from academia import acesso
from academia.alunos.tipos import CADASTRAR, EDITAR
from academia.alunos.views import alunos
from academia.api import problemas
from academia.api.autenticacao import exigir_token
from academia.api.openapi import openapi
from academia.api.sala import NOME, Sala
from academia.balcao import balcao
from academia.balcao.erros import pagina_de_erro
from academia.cli_postgres import grupo_postgres
from academia.cli_tokens import grupo_tokens
from academia.gravacoes.views import gravacoes
from academia.importacao.cli import grupo_importar
from academia.motor import montar_motor
from academia.settings import Settings, SettingsError
from academia.tokens import Tokens
from robusto.errors import ConfigError, JournalUnreadable
from robusto.flask import Robusto
from robusto.watch.log import to_stderr

_NAO_COMECA = 3


def criar_app(settings: Settings | None = None) -> Flask:
    """See `academia.create_app`."""
    try:
        return _montar(settings or Settings.load())
    except (SettingsError, ConfigError, JournalUnreadable) as erro:
        print(f"Erro: {erro}", file=sys.stderr)
        raise SystemExit(_NAO_COMECA) from None


def _montar(settings: Settings) -> Flask:
    if not logging.getLogger("academia").hasHandlers():
        to_stderr(settings.log_level, "academia")
    app = Flask("academia")
    app.secret_key = settings.secret_key
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers keep the order of the form
    app.url_map.merge_slashes = False  # an address has one form; below /api nothing is redirected
    motor = montar_motor(settings)
    app.extensions[NOME] = Sala(motor, Tokens(settings.var / "acesso.db"))
    problemas.instalar(app, pagina_de_erro)
    app.before_request(_exigir_o_corpo_inteiro)
    app.before_request(exigir_token)
    acesso.instalar(app, settings)
    for sala in (balcao, alunos, gravacoes, openapi):
        app.register_blueprint(sala)
    for grupo in (grupo_importar, grupo_postgres, grupo_tokens):
        app.cli.add_command(grupo)
    Robusto(
        engine=motor,
        authorize=acesso.autoriza,
        layout="base.html",
        login_url="/entrar",
        who=acesso.nome_para_o_registro,
        kind_names={CADASTRAR: "Cadastro", EDITAR: "Alteração"},
    ).init_app(app)
    return app


def _exigir_o_corpo_inteiro() -> None:
    """A body that is shorter than it said is refused (400) where it is read.

    gunicorn promises that its input ends with the body, and ends it as well where the client was cut off:
    what had arrived of a form would be taken for all of it. Without that promise Werkzeug counts the bytes.
    """
    if request.content_length is not None:
        request.environ.pop("wsgi.input_terminated", None)
