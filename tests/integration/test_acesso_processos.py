"""Several processes see at once what one of them does; login goes on while PostgreSQL is gone or frozen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from academia.acesso.sala import Acesso
from tests.support.api import aplicacao
from tests.support.navegador import NINGUEM, SENHA, Navegador, acesso_de, criar, destino
from tests.support.postgres_server import PostgresServer
from tests.support.running_supervisor import RunningSupervisor, eventually

_PRIMEIRO = [sys.executable, "-m", "academia.acesso.primeiro"]
_LINHAS = re.compile(r"\AAdministrador: admin\nSenha de uso único: ([a-z2-9]{4}(-[a-z2-9]{4}){3})\n\Z")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False) as api:
        yield api.app


def flask(var: Path, *argumentos: str, entrada: str = "") -> subprocess.CompletedProcess[str]:
    """The command line, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "academia", *argumentos],
        env={**os.environ, "ACADEMIA_VAR": str(var), "DATABASE_URL": NINGUEM},
        input=entrada,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_processes_that_start_at_once_make_one_administrator(tmp_path: Path) -> None:
    environ = {**os.environ, "ACADEMIA_VAR": str(tmp_path / "var")}
    iniciados = [
        subprocess.Popen(_PRIMEIRO, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    saidas = [processo.communicate(timeout=60) for processo in iniciados]
    assert [processo.returncode for processo in iniciados] == [0] * 6, saidas
    (feito,) = [saida for saida, _ in saidas if saida]
    achado = _LINHAS.match(feito)
    assert achado, feito
    segredo = (tmp_path / "var" / "segredos" / "secret-key").read_text().strip()
    sala = Acesso(tmp_path / "var" / "acesso.db", segredo)
    assert [usuario.login for usuario in sala.usuarios.todos()] == ["admin"]
    entrou = sala.conferir("admin", achado.group(1), "127.0.0.1")
    assert entrou is not None and entrou.deve_trocar
    assert subprocess.run(_PRIMEIRO, env=environ, capture_output=True, text=True).stdout == ""


def test_the_two_lines_are_printed_at_the_first_start_and_never_again(tmp_path: Path) -> None:
    for vez in range(2):
        supervisor = RunningSupervisor(tmp_path / "var", DATABASE_URL=NINGUEM)
        try:
            supervisor.wait_until_it_serves()
            eventually(partial(_serve, supervisor))
        finally:
            supervisor.end()
        linhas = supervisor.output.splitlines()
        assert linhas.count("Administrador: admin") == 1 - vez
        assert sum(linha.startswith("Senha de uso único: ") for linha in linhas) == 1 - vez


def _serve(supervisor: RunningSupervisor) -> bool:
    return "Servindo" in supervisor.output


def test_a_disabled_user_is_out_at_once_in_every_other_process(app: Flask, tmp_path: Path) -> None:
    criar(app, "chefe", "administrador")
    pessoa = Navegador(app, criar(app, "ana", "administrador"))
    assert pessoa.esta_dentro()
    fora = flask(tmp_path / "var", "usuarios", "desativar", "ana")
    assert fora.returncode == 0, fora.stderr
    assert destino(pessoa.abrir("/")) == "/entrar"
    assert pessoa.abrir("/usuarios", "POST").status_code == 401
    assert Navegador(app).entrar("ana").status_code == 401


def test_another_papel_counts_at_once(app: Flask) -> None:
    criar(app, "chefe", "administrador")
    pessoa = Navegador(app, criar(app, "ana", "administrador"))
    assert pessoa.abrir("/usuarios").status_code == 200
    acesso_de(app).usuarios.mudar_papel("ana", "recepcao")
    assert pessoa.abrir("/usuarios").status_code == 403
    assert pessoa.abrir("/sistema").status_code == 403


def test_a_password_that_another_process_set_ends_the_sessions_here(app: Flask, tmp_path: Path) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    dada = flask(tmp_path / "var", "usuarios", "senha", "ana", "--senha-stdin", entrada="outra frase longa\n")
    assert (dada.returncode, dada.stderr) == (0, "")
    assert not pessoa.esta_dentro()
    assert destino(Navegador(app).entrar("ana", "outra frase longa")) == "/"


def test_logging_in_works_while_postgresql_is_frozen_and_stopped(
    tmp_path: Path, postgres_server: PostgresServer, database: str
) -> None:
    with aplicacao(tmp_path / "var", database) as api:
        criar(api.app, "chefe", "administrador")
        postgres_server.freeze()
        try:
            _entra_e_sai(api.app)
        finally:
            postgres_server.thaw()
        postgres_server.stop()
        try:
            _entra_e_sai(api.app)
        finally:
            postgres_server.start()


def _entra_e_sai(app: Flask) -> None:
    pessoa = Navegador(app)
    assert destino(pessoa.entrar("chefe", SENHA)) == "/"
    for pagina in ("/", "/usuarios", "/senha", "/sistema"):
        assert pessoa.abrir(pagina).status_code == 200
    assert destino(pessoa.sair()) == "/entrar"


def test_a_session_goes_on_when_its_use_cannot_be_noted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: reading works, writing does not."""
    import time

    from academia.acesso import sessoes
    from academia.acesso.arquivo import AcessoIlegivel, Arquivo

    pessoa = Navegador(app, criar(app, "ana", "recepcao"))

    def recusar(self: Arquivo) -> None:
        raise AcessoIlegivel("FullError")

    monkeypatch.setattr(Arquivo, "gravar", recusar)
    monkeypatch.setattr(acesso_de(app).sessoes, "_relogio", lambda: time.time() + sessoes.OCIOSA_SEGUNDOS / 2)
    assert pessoa.esta_dentro()
    assert Navegador(app).entrar("ana").status_code == 503
