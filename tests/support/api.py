"""The app on a real PostgreSQL, as a client of the API sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from academia import create_app
from academia.api.sala import sala
from academia.migrar import migrar
from academia.settings import Settings
from robusto import Engine

#: A person whom nobody knows.
PESSOA = {"nome": "Pessoa Inventada", "telefone": "(11) 98765-4321"}


class Resposta:
    """An answer whose JSON is taken for an object."""

    def __init__(self, resposta: TestResponse) -> None:
        self.status_code = resposta.status_code
        self.content_type = resposta.content_type
        self.headers: Headers = resposta.headers
        self.text = resposta.text
        self.json: dict[str, Any] = resposta.get_json(silent=True) or {}


class Api:
    """A client with a token. Every call gives back the answer."""

    def __init__(self, app: Flask, token: str, database: str) -> None:
        self.app = app
        self.token = token
        self.database = database

    @property
    def motor(self) -> Engine:
        with self.app.app_context():
            return sala().motor

    def pedir(self, metodo: str, caminho: str, *, chave: str | None = None, **mais: Any) -> Resposta:
        cabecalhos = {"Authorization": f"Bearer {self.token}"} | mais.pop("headers", {})
        if chave is not None:
            cabecalhos["Idempotency-Key"] = chave
        return Resposta(self.app.test_client().open(caminho, method=metodo, headers=cabecalhos, **mais))

    def cadastrar(self, chave: str | None = None, **campos: Any) -> Resposta:
        return self.pedir("POST", "/api/alunos", chave=chave, json=PESSOA | campos)

    def editar(self, aluno: str, chave: str | None = None, **campos: Any) -> Resposta:
        return self.pedir("PATCH", f"/api/alunos/{aluno}", chave=chave, json=campos)

    def ver(self, aluno: str) -> Resposta:
        return self.pedir("GET", f"/api/alunos/{aluno}")

    def listar(self, **argumentos: Any) -> Resposta:
        return self.pedir("GET", "/api/alunos", query_string=argumentos)

    def nomes(self, q: str = "", **mais: Any) -> list[str]:
        resposta = self.listar(q=q, **mais)
        assert resposta.status_code == 200, resposta.text
        return [aluno["nome"] for aluno in resposta.json["alunos"]]

    def gravacao(self, referencia: str) -> Resposta:
        return self.pedir("GET", f"/api/gravacoes/{referencia}")

    def esperar(self, condicao: Callable[[], bool], segundos: float = 15.0) -> None:
        """Until it holds, or the test fails."""
        limite = time.monotonic() + segundos
        while not condicao():
            assert time.monotonic() < limite, "it did not happen in time"
            time.sleep(0.05)

    def esperar_tudo_gravado(self) -> None:
        self.esperar(lambda: self.motor.status().pending == 0)


@contextmanager
def aplicacao(var: Path, database: str, *, migrada: bool = True, **ambiente: str) -> Iterator[Api]:
    """The app with its worker, on this database."""
    if migrada:
        migrar(database)
    settings = Settings.load({"ACADEMIA_VAR": str(var), "DATABASE_URL": database, **ambiente})
    app = create_app(settings)
    app.testing = True
    try:
        with app.app_context():
            token = sala().tokens.criar("testes")
        yield Api(app, token, database)
    finally:
        app.extensions["robusto"].engine.close()


@pytest.fixture
def api(tmp_path: Path, database: str) -> Iterator[Api]:
    """Import it where it is used."""
    with aplicacao(tmp_path / "var", database) as pronta:
        yield pronta
