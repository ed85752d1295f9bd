"""Access tokens, over HTTP and on the command line; PostgreSQL is not needed for any of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from academia.tokens import NomeEmUso, NomeInvalido, Tokens, TokensIlegiveis
from tests.support.api import Api, Resposta, aplicacao

NINGUEM = "postgresql://ninguem@127.0.0.1:9/nada"


@pytest.fixture
def sem_banco(tmp_path: Path) -> Iterator[Api]:
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False) as pronta:
        yield pronta


@pytest.mark.parametrize(
    "autorizacao",
    ["", "Bearer", "Bearer ", "Bearer errado", "Basic YTpi", "Bearer a b", "Bearer \u00e9", "Digest x"],
)
def test_without_a_valid_token_nothing_below_the_api_answers(sem_banco: Api, autorizacao: str) -> None:
    for metodo, caminho in (
        ("GET", "/api/alunos"),
        ("POST", "/api/alunos"),
        ("GET", "/api/nada"),
        ("PATCH", "/api/x"),
    ):
        cabecalhos = {"Authorization": autorizacao} if autorizacao else {}
        resposta = Resposta(sem_banco.app.test_client().open(caminho, method=metodo, headers=cabecalhos))
        assert (resposta.status_code, resposta.json["code"]) == (401, "nao-autenticado")
        assert resposta.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_works_while_postgresql_is_away_and_not_a_moment_after_it_was_revoked(sem_banco: Api) -> None:
    assert sem_banco.cadastrar().status_code == 202
    assert sem_banco.pedir("GET", "/sistema/status").status_code == 200
    comando = sem_banco.app.test_cli_runner().invoke(args=["tokens", "revogar", "testes"])
    assert comando.exit_code == 0, comando.output
    assert sem_banco.cadastrar().status_code == 401
    assert sem_banco.pedir("GET", "/sistema/status").status_code == 401


def test_a_token_is_printed_alone_and_once_and_kept_nowhere(sem_banco: Api, tmp_path: Path) -> None:
    comando = sem_banco.app.test_cli_runner().invoke(args=["tokens", "criar", "--nome", "balcão 1"])
    assert comando.exit_code == 0
    token = comando.stdout.removesuffix("\n")
    assert len(token) == 43
    assert Api(sem_banco.app, token, NINGUEM).listar().status_code == 200
    guardado = b"".join(arquivo.read_bytes() for arquivo in (tmp_path / "var").glob("acesso.db*"))
    assert guardado
    assert token.encode() not in guardado
    assert (tmp_path / "var" / "acesso.db").stat().st_mode & 0o777 == 0o600


def test_the_commands_say_how_they_ended(sem_banco: Api) -> None:
    runner = sem_banco.app.test_cli_runner()
    criado = runner.invoke(args=["tokens", "criar", "--nome", "a", "--json"])
    assert set(json.loads(criado.stdout)) == {"nome", "token"}
    em_uso = runner.invoke(args=["tokens", "criar", "--nome", "a"])
    assert (em_uso.exit_code, em_uso.stdout) == (3, "")
    assert runner.invoke(args=["tokens", "criar", "--nome", " a"]).exit_code == 2
    assert runner.invoke(args=["tokens", "criar"]).exit_code == 2
    assert runner.invoke(args=["tokens", "revogar", "ninguém"]).exit_code == 1
    assert json.loads(runner.invoke(args=["tokens", "revogar", "a", "--json"]).stdout) == {
        "nome": "a",
        "revogado": True,
    }
    for comando in ([], ["criar"], ["revogar"]):
        assert runner.invoke(args=["tokens", *comando, "--help"]).exit_code == 0


def test_a_revoked_name_may_be_given_again(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "acesso.db")
    primeiro = tokens.criar("a")
    with pytest.raises(NomeEmUso):
        tokens.criar("a")
    assert tokens.revogar("a")
    segundo = tokens.criar("a")
    assert (tokens.nome_de(primeiro), tokens.nome_de(segundo)) == (None, "a")
    assert tokens.revogar("a")
    assert not tokens.revogar("a")


@pytest.mark.parametrize("nome", ["", " a", "a ", "a\n", "x" * 61, "\ud800"])
def test_a_name_is_printable_and_short(tmp_path: Path, nome: str) -> None:
    with pytest.raises(NomeInvalido):
        Tokens(tmp_path / "acesso.db").criar(nome)


def test_without_any_token_nobody_is_known_and_no_file_is_made(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "acesso.db")
    assert tokens.nome_de("x") is None
    assert not tokens.revogar("x")
    assert not list(tmp_path.iterdir())


def test_a_forked_process_sees_what_the_other_one_changes(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "acesso.db")
    token = tokens.criar("a")
    assert tokens.nome_de(token) == "a"
    filho = os.fork()
    if filho == 0:
        certo = tokens.nome_de(token) == "a" and tokens.revogar("a") and tokens.nome_de(token) is None
        sys.stderr.flush()
        os._exit(0 if certo else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(filho, 0)[1]) == 0
    assert tokens.nome_de(token) is None


def test_tokens_that_cannot_be_read_are_no_refusal_of_the_caller(sem_banco: Api, tmp_path: Path) -> None:
    arquivo = tmp_path / "var" / "acesso.db"
    for parte in (tmp_path / "var").glob("acesso.db?*"):
        parte.unlink()
    arquivo.unlink()
    arquivo.write_bytes(b"x" * 8192)
    with pytest.raises(TokensIlegiveis):
        Tokens(arquivo).nome_de("x")
    assert (sem_banco.listar().status_code, sem_banco.listar().json["code"]) == (503, "desconhecido")
    assert (sem_banco.cadastrar().status_code, sem_banco.cadastrar().json["code"]) == (503, "nao-guardado")
