"""Flask's session: a row in `acesso.db` for who is logged in, a signed cookie for who is not yet.

A stranger costs no row: his cookie holds only the secret of his CSRF token.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from academia.acesso.arquivo import AcessoIlegivel
from academia.acesso.sala import NOME, Acesso, acesso
from academia.acesso.sessoes import MAXIMO_SEGUNDOS, Aberta
from academia.acesso.usuarios import Usuario

_log = logging.getLogger(__name__)

COOKIE = "academia_sessao"
CAMPO_CSRF = "csrf_token"


class Sessao(SecureCookieSession):
    """The session of a request."""

    def __init__(self, inicial: Any = None) -> None:
        super().__init__(inicial)
        self.aberta: Aberta | None = None
        self.novo_id: str | None = None
        self.encerrada = False
        self.vencida = False
        """Whether the browser has the id of a session that is over."""
        self.ilegivel = False
        """Whether nobody can tell who this is, because the file cannot be read."""


class Interface(SecureCookieSessionInterface):
    """Reads the session before a request and keeps it after."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """What came over https goes back over https only; a plain name on the LAN has none."""
        return request.is_secure

    def open_session(self, app: Flask, request: Request) -> Sessao:
        valor = request.cookies.get(COOKIE, "")
        if not valor:
            return Sessao()
        if "." in valor:
            return self._de_estranho(app, valor)
        sala: Acesso = app.extensions[NOME]
        try:
            aberta = sala.sessoes.ler(valor)
        except AcessoIlegivel as erro:
            _log.error("the sessions cannot be read: %s", erro)
            sessao = Sessao()
            sessao.ilegivel = True
            return sessao
        sessao = Sessao(None if aberta is None else aberta.dados)
        sessao.aberta = aberta
        sessao.vencida = aberta is None
        return sessao

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, Sessao)
        if session.novo_id is not None:
            response.set_cookie(
                COOKIE,
                session.novo_id,
                max_age=int(MAXIMO_SEGUNDOS),
                httponly=True,
                samesite="Lax",
                secure=self.get_cookie_secure(app),
            )
        if session.aberta is not None:
            self._manter(app, session, session.aberta)
        elif session.encerrada and not session:
            response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=self.get_cookie_secure(app))
        else:
            super().save_session(app, session, response)

    def _de_estranho(self, app: Flask, valor: str) -> Sessao:
        assinatura = self.get_signing_serializer(app)
        assert assinatura is not None
        try:
            return Sessao(assinatura.loads(valor, max_age=int(MAXIMO_SEGUNDOS)))
        except Exception:  # whatever a stranger may send
            return Sessao()

    @staticmethod
    def _manter(app: Flask, sessao: Sessao, aberta: Aberta) -> None:
        if not sessao.modified:
            return
        sala: Acesso = app.extensions[NOME]
        try:
            sala.sessoes.gravar_dados(aberta.resumo, sessao)
        except AcessoIlegivel as erro:  # a message that is shown twice is no reason to fail
            _log.error("a session could not be kept: %s", erro)


def sessao_atual() -> Sessao:
    """The session of this request."""
    sessao = session._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(sessao, Sessao)
    return sessao


def entrar(usuario: Usuario) -> Sessao:
    """Log this user in: a new id, a new CSRF secret, nothing of what was before. Raises AcessoIlegivel."""
    sessao = sessao_atual()
    anterior = sessao.aberta
    dados = {CAMPO_CSRF: secrets.token_hex(20)}
    sala = acesso()
    id_ = sala.sessoes.abrir(usuario, dados)
    if anterior is not None:
        sala.sessoes.encerrar(anterior.resumo)
    sessao.clear()
    sessao.update(dados)
    sessao.modified = False  # the row has it already
    sessao.novo_id, sessao.aberta = id_, sala.sessoes.ler(id_)
    return sessao


def sair() -> None:
    """Log out, on the server and in the browser. Raises AcessoIlegivel."""
    sessao = sessao_atual()
    if sessao.aberta is not None:
        acesso().sessoes.encerrar(sessao.aberta.resumo)
    sessao.clear()
    sessao.aberta, sessao.encerrada = None, True
