"""Finding students in PostgreSQL; the same answers from the local copy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Api, api, aplicacao
from tests.support.postgres_server import PostgresServer
from tests.support.search_cases import CASOS, PESSOAS

__all__ = ["api"]

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def cheia(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Api]:
    """The people of the table, in PostgreSQL and in the local copy; never changed."""
    with postgres_server.new_database() as banco, aplicacao(tmp_path_factory.mktemp("var"), banco) as pronta:
        for nome, pessoa in PESSOAS.items():
            assert pronta.pedir("POST", "/api/alunos", chave=nome, json=pessoa).status_code == 201
        pronta.esperar(lambda: len(pronta.motor.replica("alunos").rows()) == len(PESSOAS))
        yield pronta


def nomes(chaves: set[str]) -> set[str]:
    return {PESSOAS[chave]["nome"] for chave in chaves}


@pytest.mark.parametrize(("q", "achados"), CASOS)
def test_postgresql_finds_who_the_table_says(cheia: Api, q: str, achados: set[str]) -> None:
    resposta = cheia.listar(q=q).json
    assert (resposta["fonte"], resposta["idade_segundos"]) == ("banco", 0)
    assert {aluno["nome"] for aluno in resposta["alunos"]} == nomes(achados)


def test_the_local_copy_answers_every_query_alike_and_in_the_same_order(
    cheia: Api, postgres_server: PostgresServer
) -> None:
    consultas = [q for q, _ in CASOS]
    do_banco = {q: cheia.listar(q=q).json for q in consultas}
    postgres_server.stop()
    try:
        da_copia = {q: cheia.listar(q=q).json for q in consultas}
    finally:
        postgres_server.start()
    cheia.esperar(lambda: cheia.motor.status().database_connected)
    for q in consultas:
        assert da_copia[q]["fonte"] == "copia"
        assert da_copia[q]["idade_segundos"] >= 0
        assert da_copia[q]["alunos"] == do_banco[q]["alunos"], q


def test_pages_follow_each_other_without_gap_or_repeat(api: Api) -> None:
    todos = ["Ana", "Ana Beatriz", "Ana", "Bruno Ana", "ana", "Ána", "Zana"]
    for n, nome in enumerate(todos):
        api.cadastrar(str(n), nome=nome)
    for q in ("", "ana"):
        inteira = api.listar(q=q, limite=200).json
        assert inteira["proximo"] is None
        for limite in (1, 2, 3, 6, 7):
            assert por_paginas(api, q, limite) == [aluno["id"] for aluno in inteira["alunos"]]
    exatos = [aluno["nome"] for aluno in api.listar(q="ana").json["alunos"]]
    assert sorted(exatos[:4]) == ["Ana", "Ana", "ana", "Ána"]
    assert exatos[4:] == ["Ana Beatriz", "Bruno Ana", "Zana"]


def por_paginas(api: Api, q: str, limite: int) -> list[str]:
    vistos: list[str] = []
    depois: str | None = ""
    while depois is not None:
        pagina = api.listar(q=q, limite=limite, depois=depois).json
        assert len(pagina["alunos"]) <= limite
        vistos += [aluno["id"] for aluno in pagina["alunos"]]
        depois = pagina["proximo"]
    return vistos


def test_fifty_are_given_where_nothing_else_is_asked_for(api: Api) -> None:
    for n in range(51):
        api.cadastrar(str(n), nome=f"Pessoa {n:02}")
    pagina = api.listar().json
    assert len(pagina["alunos"]) == 50
    assert [a["nome"] for a in api.listar(depois=pagina["proximo"]).json["alunos"]] == ["Pessoa 50"]


@pytest.mark.parametrize(
    ("argumentos", "campo"),
    [
        ({"limite": "0"}, "limite"),
        ({"limite": "201"}, "limite"),
        ({"limite": "-1"}, "limite"),
        ({"limite": "dez"}, "limite"),
        ({"limite": "٣"}, "limite"),
        ({"limite": ""}, "limite"),
        ({"limite": "1" * 5000}, "limite"),
        ({"depois": "x"}, "depois"),
        ({"depois": "WzEsMiwzXQ"}, "depois"),
        ({"depois": "WzAsICJhIiwgIngiXQ"}, "depois"),
        ({"depois": "á"}, "depois"),
        ({"q": "q" * 201}, "q"),
        ({"q": "a\x00b"}, "q"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, argumentos: dict[str, str], campo: str) -> None:
    resposta = api.listar(**argumentos)
    assert (resposta.status_code, resposta.json["code"]) == (422, "dados-invalidos")
    assert list(resposta.json["campos"]) == [campo]
