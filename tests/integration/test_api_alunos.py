"""Registering, changing and seeing students while PostgreSQL answers."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import psycopg
import pytest

from academia.alunos.campos import CAMPOS
from academia.api import esquemas
from tests.support.api import PESSOA, Api, api

__all__ = ["api"]

pytestmark = pytest.mark.postgres

RESPONSAVEL = {"nome": "R", "cpf": "111.444.777-35", "telefone": "11 91234-5678", "parentesco": "mãe"}


def test_a_registration_is_stored_and_can_be_read_with_every_field(api: Api) -> None:
    dados = {
        "nome": "Pessoa  Inventada ", "nome_social": "Outra", "cpf": "529.982.247-25", "rg": "12.345",
        "data_nascimento": "02/03/1990", "sexo": "F", "estado_civil": "solteira", "telefone": "1133334444",
        "celular": "11987654321", "whatsapp": False, "email": "a@exemplo.org", "cep": "01310-100",
        "endereco": "Rua Inventada, 1 \u202eRTL", "bairro": "Centro", "cidade": "Lugar", "uf": "sp",
        "titulo_eleitor": "1234", "zona": "1", "secao": "2", "municipio": "Lugar",
        "responsavel": RESPONSAVEL,
        "atividade": "Natação", "turma": "18:00", "indicacao": "amiga", "observacoes": "duas\nlinhas 'q\"",
        "situacao": "suspenso",
    }  # fmt: skip
    assert set(dados) == set(CAMPOS)
    resposta = api.pedir("POST", "/api/alunos", json=dados)
    assert resposta.status_code == 201, resposta.text
    aceito = esquemas.Aceito.model_validate(resposta.json)
    assert (aceito.estado, aceito.duplicado) == ("gravado", False)
    aluno = api.ver(aceito.id).json
    esquemas.Aluno.model_validate(aluno)
    assert aluno == dados | {
        "id": aceito.id, "protocolo": aceito.protocolo, "estado": "gravado", "cpf": "52998224725",
        "data_nascimento": "1990-03-02", "telefone": "+551133334444", "celular": "+5511987654321",
        "cep": "01310100", "uf": "SP",
        "responsavel": {"nome": "R", "cpf": "11144477735", "telefone": "+5511912345678", "parentesco": "mãe"},
    }  # fmt: skip


def test_the_same_key_and_body_answer_with_the_same_student(api: Api) -> None:
    primeira = api.cadastrar("uma chave")
    segunda = api.cadastrar("uma chave")
    assert (primeira.status_code, segunda.status_code) == (201, 201)
    assert segunda.json == primeira.json | {"duplicado": True}
    assert api.nomes() == [PESSOA["nome"]]


def test_the_same_key_with_another_body_is_refused_and_writes_nothing(api: Api) -> None:
    api.cadastrar("k")
    resposta = api.cadastrar("k", nome="Outra Pessoa")
    assert (resposta.status_code, resposta.json["code"]) == (422, "chave-reutilizada")
    assert api.nomes() == [PESSOA["nome"]]


def test_eight_clients_with_one_key_make_one_student(api: Api) -> None:
    respostas = []
    threads = [threading.Thread(target=lambda: respostas.append(api.cadastrar("k"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {resposta.status_code for resposta in respostas} <= {201, 202}
    assert len({resposta.json["id"] for resposta in respostas}) == 1
    assert sum(not resposta.json["duplicado"] for resposta in respostas) == 1
    api.esperar_tudo_gravado()
    assert api.nomes() == [PESSOA["nome"]]


def test_calls_without_a_key_are_writes_of_their_own_and_get_one(api: Api) -> None:
    uma, outra = api.cadastrar(), api.cadastrar()
    assert uma.json["id"] != outra.json["id"]
    assert uma.headers["Idempotency-Key"] != outra.headers["Idempotency-Key"]
    de_novo = api.cadastrar(uma.headers["Idempotency-Key"])
    assert de_novo.json == uma.json | {"duplicado": True}


def test_two_tokens_may_use_the_same_key(api: Api) -> None:
    uma = api.cadastrar("1")
    outro = Api(api.app, api.app.extensions["academia"].tokens.criar("outro"), api.database)
    outra = outro.cadastrar("1")
    assert outra.status_code == 201
    assert outra.json["id"] != uma.json["id"]


def test_a_cpf_belongs_to_one_person(api: Api) -> None:
    api.cadastrar(cpf="529.982.247-25")
    resposta = api.cadastrar("k", cpf="52998224725", nome="Outra Pessoa")
    assert (resposta.status_code, resposta.json["code"]) == (409, "cpf-em-uso")
    assert api.cadastrar("k", cpf="111.444.777-35", nome="Outra Pessoa").status_code == 201
    outra = api.listar(q="outra").json["alunos"][0]["id"]
    assert api.editar(outra, cpf="52998224725").json["code"] == "cpf-em-uso"


def test_an_edit_changes_its_fields_and_no_other(api: Api) -> None:
    aluno = api.cadastrar(rg="1", nome_social="Flor").json["id"]
    antes = api.ver(aluno).json
    resposta = api.editar(aluno, "e1", nome="Novo Nome", rg=None, responsavel={"nome": "R"})
    assert resposta.status_code == 200, resposta.text
    assert resposta.json["id"] == aluno
    assert resposta.json["estado"] == "gravado"
    depois = api.ver(aluno).json
    responsavel = {"nome": "R", "cpf": None, "telefone": None, "parentesco": None}
    assert depois == antes | {"nome": "Novo Nome", "rg": None, "responsavel": responsavel}
    assert api.nomes("novo nome") == ["Novo Nome"]
    assert api.nomes("flor") == ["Novo Nome"]
    assert api.nomes("inventada") == []


def test_a_repeated_edit_is_one_edit_also_when_others_came_between(api: Api) -> None:
    aluno = api.cadastrar().json["id"]
    primeira = api.editar(aluno, "e1", rg="1")
    api.editar(aluno, "e2", rg="2")
    segunda = api.editar(aluno, "e1", rg="1")
    assert (segunda.status_code, segunda.json) == (200, primeira.json | {"duplicado": True})
    assert api.ver(aluno).json["rg"] == "2"
    assert api.editar(aluno, "e1", rg="3").json["code"] == "chave-reutilizada"
    outro = api.cadastrar().json["id"]
    assert api.editar(outro, "e1", rg="1").json["code"] == "chave-reutilizada"


def test_an_edit_of_values_that_are_no_longer_there_is_a_conflict_with_those_that_are(api: Api) -> None:
    aluno = api.cadastrar(rg="1").json["id"]
    assert api.editar(aluno, rg="2", visto={"rg": "1", "telefone": PESSOA["telefone"]}).status_code == 200
    resposta = api.editar(
        aluno, rg="3", visto={"rg": "1", "nome": PESSOA["nome"], "responsavel": {"nome": "R"}}
    )
    assert (resposta.status_code, resposta.json["code"]) == (409, "conflito")
    assert resposta.json["campos"] == {"rg": "2", "responsavel": {"nome": None}}
    assert api.ver(aluno).json["rg"] == "2"


def test_nobody_is_edited_who_is_not_there(api: Api) -> None:
    for aluno in (str(uuid4()), "x", f"{{{uuid4()}}}", str(uuid4()).replace("-", "")):
        assert api.editar(aluno, rg="1").json["code"] == "nao-encontrado", aluno
        assert api.ver(aluno).json["code"] == "nao-encontrado", aluno


def test_an_id_is_found_in_capital_letters_too(api: Api) -> None:
    aluno = api.cadastrar().json["id"]
    assert api.ver(aluno.upper()).json["id"] == aluno
    assert api.editar(aluno.upper(), rg="1").json["id"] == aluno


def test_hours_later_the_row_says_when_and_by_whom_it_was_made(api: Api) -> None:
    aluno = api.cadastrar().json["id"]
    with psycopg.connect(api.database) as banco:
        sql = "SELECT criado_por, criado_em <= alterado_em, origem FROM alunos WHERE id = %s"
        assert banco.execute(sql, (UUID(aluno),)).fetchone() == ("token:testes", True, None)


def test_a_write_can_be_looked_up_by_its_id_and_by_its_protocol_number(api: Api) -> None:
    aceito = api.cadastrar().json
    for referencia in (aceito["gravacao"], aceito["protocolo"], aceito["protocolo"].lower().replace("-", "")):
        gravacao = api.gravacao(referencia).json
        esquemas.Gravacao.model_validate(gravacao)
        assert gravacao["gravacao"] == aceito["gravacao"]
        assert (gravacao["tipo"], gravacao["estado"], gravacao["motivo"]) == (
            "aluno.cadastrar",
            "gravado",
            None,
        )
    edicao = api.editar(aceito["id"], rg="1").json
    assert api.gravacao(edicao["protocolo"]).json["tipo"] == "aluno.editar"


def test_an_unknown_write_is_not_found(api: Api) -> None:
    for referencia in (str(uuid4()), "AP-0000-0000-0000", "AP-0000-0000-0001", "x", "a" * 36, "%00"):
        assert api.gravacao(referencia).json["code"] == "nao-encontrado", referencia
