"""A browser, as far as login and forms go."""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import Client, TestResponse

from academia.acesso.interface import COOKIE
from academia.acesso.sala import NOME, Acesso
from academia.acesso.senhas import Senhas
from academia.acesso.usuarios import Usuario

#: The password of everybody in the tests.
SENHA = "uma frase inventada"
NINGUEM = "postgresql://ninguem@127.0.0.1:9/nada"
_HTML = "text/html,application/xhtml+xml"


@cache
def _resumo() -> str:
    return Senhas().resumir(SENHA)


def acesso_de(app: Flask) -> Acesso:
    sala: Acesso = app.extensions[NOME]
    return sala


def criar(app: Flask, login: str, papel: str, *, deve_trocar: bool = False) -> Usuario:
    """A user whose password is SENHA."""
    return acesso_de(app).usuarios.criar(login, papel, _resumo(), deve_trocar=deve_trocar)


class Navegador:
    """Keeps cookies, and the CSRF token of the last page."""

    def __init__(self, app: Flask, usuario: Usuario | None = None, endereco: str = "127.0.0.1") -> None:
        """With a user it is logged in already, without the login form."""
        self.app = app
        self.endereco = endereco
        self.cliente: Client = app.test_client()
        self.csrf = ""
        if usuario is not None:
            self.sessao = acesso_de(app).sessoes.abrir(usuario, {"csrf_token": secrets.token_hex(20)})

    @property
    def sessao(self) -> str:
        """The value of the session's cookie."""
        cookie = self.cliente.get_cookie(COOKIE)
        return "" if cookie is None else cookie.value

    @sessao.setter
    def sessao(self, valor: str) -> None:
        self.cliente.set_cookie(COOKIE, valor)

    def abrir(self, caminho: str, metodo: str = "GET", **mais: Any) -> TestResponse:
        mais["headers"] = {"Accept": _HTML} | mais.pop("headers", {})
        mais.setdefault("environ_base", {"REMOTE_ADDR": self.endereco})
        resposta = self.cliente.open(caminho, method=metodo, **mais)
        resposta.get_data()
        resposta.close()
        achado = re.search(r'name="csrf_token" value="([^"]+)"', resposta.text)
        if achado:
            self.csrf = achado.group(1)
        return resposta

    def enviar(self, caminho: str, *, csrf: str | None = None, **campos: str) -> TestResponse:
        """Post a form with the token of the last page."""
        dados = {"csrf_token": self.csrf if csrf is None else csrf, **campos}
        return self.abrir(caminho, "POST", data=dados)

    def entrar(self, login: str, senha: str = SENHA, **mais: str) -> TestResponse:
        self.abrir("/entrar")
        return self.enviar("/entrar", login=login, senha=senha, **mais)

    def sair(self) -> TestResponse:
        self.abrir("/")
        return self.enviar("/sair")

    def esta_dentro(self) -> bool:
        return self.abrir("/").status_code == 200


def destino(resposta: TestResponse) -> str:
    """Where a 303 leads; the path only."""
    assert resposta.status_code == 303, (resposta.status_code, resposta.text)
    return urlsplit(resposta.location).path


def escondido(resposta: TestResponse, campo: str) -> str:
    """The value of a hidden field."""
    achado = re.search(rf'name="{campo}" value="([^"]*)"', resposta.text)
    assert achado, f"no field {campo}"
    return achado.group(1)
