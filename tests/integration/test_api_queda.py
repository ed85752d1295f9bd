"""The API with PostgreSQL away: stopped, frozen, killed; and what is true afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from academia.api import esquemas
from tests.support.api import PESSOA, Api, api, aplicacao
from tests.support.postgres_server import PostgresServer

__all__ = ["api"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def copiado(api: Api, quantos: int) -> None:
    api.esperar(lambda: len(api.motor.replica("alunos").rows()) == quantos)


def test_a_registration_in_an_outage_is_pending_and_stored_afterwards(
    api: Api, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    aceito = api.cadastrar("k", cpf="529.982.247-25")
    assert aceito.status_code == 202, aceito.text
    assert esquemas.Aceito.model_validate(aceito.json).estado == "pendente"
    assert api.cadastrar("k", cpf="529.982.247-25").json == aceito.json | {"duplicado": True}
    assert api.cadastrar("k").json["code"] == "chave-reutilizada"
    assert api.gravacao(aceito.json["protocolo"]).json["estado"] == "pendente"
    aluno = api.ver(aceito.json["id"]).json
    assert (aluno["estado"], aluno["cpf"]) == ("pendente", "52998224725")
    postgres_server.start()
    api.esperar_tudo_gravado()
    assert api.ver(aceito.json["id"]).json == aluno | {"estado": "gravado"}
    repetido = api.cadastrar("k", cpf="529.982.247-25")
    assert (repetido.status_code, repetido.json) == (
        201,
        aceito.json | {"estado": "gravado", "duplicado": True},
    )
    assert api.gravacao(aceito.json["gravacao"]).json["estado"] == "gravado"


def test_an_edit_waits_behind_its_pending_registration(api: Api, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    aluno = api.cadastrar().json["id"]
    for n in range(3):
        assert api.editar(aluno, f"e{n}", rg=str(n), nome=f"Nome {n}").status_code == 202
    assert api.nomes("inventada") == []
    assert api.nomes("nome 2") == ["Nome 2"]
    postgres_server.start()
    api.esperar_tudo_gravado()
    assert api.ver(aluno).json["rg"] == "2"


def test_a_stored_student_is_found_and_edited_in_an_outage(api: Api, postgres_server: PostgresServer) -> None:
    antigo = api.cadastrar(rg="1", nome="Antiga Pessoa").json["id"]
    copiado(api, 1)
    recente = api.cadastrar(nome="Recente Pessoa").json["id"]
    postgres_server.stop()
    assert api.ver(antigo).json["estado"] == "gravado"
    assert api.ver(recente).json["estado"] == "gravado"  # stored after the copy was made
    assert api.editar(antigo, rg="2", visto={"rg": "1"}).status_code == 202
    pagina = api.listar(q="pessoa").json
    esquemas.ListaDeAlunos.model_validate(pagina)
    assert pagina["fonte"] == "copia"
    assert [(a["nome"], a["rg"], a["estado"]) for a in pagina["alunos"]] == [
        ("Antiga Pessoa", "2", "pendente"),
        ("Recente Pessoa", None, "gravado"),
    ]
    postgres_server.start()
    api.esperar_tudo_gravado()
    assert api.ver(antigo).json["rg"] == "2"


def test_what_is_not_known_here_is_unknown_and_not_missing(api: Api, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    for caminho in ("/api/alunos/00000000-0000-8000-8000-000000000000", "/api/gravacoes/AP-0000-0000-0000"):
        resposta = api.pedir("GET", caminho)
        assert (resposta.status_code, resposta.json["code"]) == (503, "desconhecido")
    assert api.gravacao("AP-0000-0000-0001").json["code"] == "nao-encontrado"  # mistyped: no such number


def test_a_conflict_that_is_found_at_the_drain_waits_for_a_person(
    api: Api, postgres_server: PostgresServer
) -> None:
    aluno = api.cadastrar(rg="1").json["id"]
    copiado(api, 1)
    postgres_server.stop()
    edicao = api.editar(aluno, rg="2", visto={"rg": "visto em outro lugar"}).json
    assert edicao["estado"] == "pendente"
    postgres_server.start()
    api.esperar(lambda: api.gravacao(edicao["gravacao"]).json["estado"] == "quarentena")
    assert api.gravacao(edicao["gravacao"]).json["motivo"] == "conflict"
    for visto in (api.ver(aluno).json, api.listar().json["alunos"][0]):
        assert (visto["rg"], visto["estado"]) == ("1", "quarentena")


def test_one_cpf_accepted_twice_in_an_outage_is_one_student_and_one_in_quarantine(
    api: Api, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    uma = api.cadastrar(cpf="529.982.247-25", nome="Uma").json
    outra = api.cadastrar(cpf="529.982.247-25", nome="Outra").json
    postgres_server.start()
    api.esperar(lambda: api.gravacao(outra["gravacao"]).json["estado"] == "quarentena")
    assert api.gravacao(uma["gravacao"]).json["estado"] == "gravado"
    api.esperar(lambda: api.listar().json["fonte"] == "banco")
    assert [(a["nome"], a["estado"]) for a in api.listar().json["alunos"]] == [
        ("Outra", "quarentena"),
        ("Uma", "gravado"),
    ]
    assert api.ver(outra["id"]).json["estado"] == "quarentena"


def test_a_frozen_postgresql_keeps_nobody_longer_than_the_deadline(
    api: Api, postgres_server: PostgresServer
) -> None:
    api.cadastrar()
    postgres_server.freeze()
    for pedir in (lambda: api.cadastrar("k"), lambda: api.listar(q="x"), lambda: api.cadastrar("k")):
        inicio = time.monotonic()
        resposta = pedir()
        assert resposta.status_code in (200, 202), resposta.text
        assert time.monotonic() - inicio < 3.5
    postgres_server.thaw()
    api.esperar_tudo_gravado()
    api.esperar(lambda: api.listar().json["fonte"] == "banco")
    assert len(api.nomes()) == 2


def test_a_killed_postgresql_loses_and_doubles_nothing(api: Api, postgres_server: PostgresServer) -> None:
    respostas = [api.cadastrar(f"antes {n}", nome=f"Antes {n}") for n in range(3)]
    postgres_server.kill()
    respostas += [api.cadastrar(f"depois {n}", nome=f"Depois {n}") for n in range(3)]
    assert [resposta.status_code for resposta in respostas] == [201] * 3 + [202] * 3
    postgres_server.start()
    api.esperar_tudo_gravado()
    with psycopg.connect(api.database) as banco:
        nomes = [nome for (nome,) in banco.execute("SELECT nome FROM alunos ORDER BY nome")]
    assert nomes == sorted(f"{quando} {n}" for quando in ("Antes", "Depois") for n in range(3))


def test_a_full_journal_refuses_in_words_and_loses_nothing_of_what_it_took(
    tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    with aplicacao(tmp_path / "var", database, ROBUSTO_JOURNAL_MAX_BYTES=str(2**20)) as api:
        postgres_server.stop()
        aceitos = []
        for n in range(1000):
            resposta = api.cadastrar(str(n), nome=f"Pessoa {n}", observacoes="o" * 4000)
            if resposta.status_code != 202:
                break
            aceitos.append(resposta.json["id"])
        assert (resposta.status_code, resposta.json["code"]) == (503, "nao-guardado")
        assert resposta.json["chave"] == str(len(aceitos))
        assert len(aceitos) > 50
        postgres_server.start()
        api.esperar_tudo_gravado()
        api.esperar(lambda: api.motor.status().database_connected)
        with psycopg.connect(database) as banco:
            guardados = {str(aluno) for (aluno,) in banco.execute("SELECT id FROM alunos")}
        assert guardados == set(aceitos)


@pytest.fixture
def sem_tabelas(tmp_path: Path, database: str) -> Iterator[Api]:
    with aplicacao(tmp_path / "var", database, migrada=False) as pronta:
        yield pronta


def test_before_the_migration_writes_are_kept_and_reading_says_that_it_cannot(sem_tabelas: Api) -> None:
    from academia.migrar import migrar

    aceito = sem_tabelas.cadastrar()
    assert aceito.status_code == 202, aceito.text
    assert sem_tabelas.nomes() == [PESSOA["nome"]]
    migrar(sem_tabelas.database)
    sem_tabelas.esperar(lambda: sem_tabelas.ver(aceito.json["id"]).json["estado"] == "gravado", 60)
