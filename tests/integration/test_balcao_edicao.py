"""Editing at the front desk: changed fields, values seen, conflicts, names that are not everybody's."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from tests.support.balcao import Balcao, Pagina, balcao, destino

__all__ = ["balcao"]

pytestmark = pytest.mark.postgres


def no_banco(balcao: Balcao, *colunas: str) -> tuple[Any, ...]:
    with psycopg.connect(balcao.api.database) as banco:
        linhas = banco.execute(f"SELECT {', '.join(colunas)} FROM alunos").fetchall()
    assert len(linhas) == 1
    return tuple(linhas[0])


def test_only_what_was_changed_is_sent(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(rg="1", observacoes="uma\r\nduas")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    balcao.api.editar(aluno, bairro="De outra pessoa")
    recibo = balcao.enviar(edicao.acao, **edicao.form | {"rg": "", "data_nascimento": "1-2-1990"})
    assert recibo.frase("gravado").startswith("Alteração gravada.")
    assert no_banco(balcao, "rg", "bairro", "data_nascimento::text", "observacoes") == (
        None, "De outra pessoa", "1990-02-01", "uma\nduas",
    )  # fmt: skip


def test_nothing_changed_writes_nothing_and_says_so(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(celular="11987654321")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    pagina = balcao.enviar(edicao.acao, **edicao.form | {"celular": "011 98765 4321"})
    assert "Nada foi mudado" in pagina.texto


def test_values_of_the_earlier_system_that_are_none_disturb_no_other_change(balcao: Balcao) -> None:
    aluno = balcao.cadastrado()
    with psycopg.connect(balcao.api.database) as banco:
        banco.execute(
            "UPDATE alunos SET cpf = '123', telefone = 'não tem', cep = '1', sexo = 'F', observacoes = %s",
            ("antiga\r\nlinha",),
        )
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    assert (edicao.form["cpf"], edicao.form["sexo"]) == ("123", "F")
    assert balcao.enviar(edicao.acao, **edicao.form | {"rg": "7"}).codigos == ["gravado"]
    assert no_banco(balcao, "cpf", "telefone", "rg", "observacoes") == (
        "123", "não tem", "7", "antiga\r\nlinha",
    )  # fmt: skip
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    assert balcao.enviar(edicao.acao, **edicao.form | {"observacoes": "nova"}).codigos == ["gravado"]


def test_a_conflict_shows_both_values_and_asks(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(telefone="1133334444", rg="1")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    balcao.api.editar(aluno, telefone="1144445555")
    enviado = edicao.form | {"telefone": "11 2222-3333", "rg": "2"}
    conflito = Pagina(balcao.postar(edicao.acao, **enviado))
    assert (conflito.status_code, conflito.papel("conflito")) == (409, "alert")
    assert conflito.frase("conflito").startswith("Alguém mudou este campo antes.")
    assert "Agora: (11) 4444-5555 ; você escreveu: 11 2222-3333" in conflito.texto
    assert "Manter o atual" in conflito.texto and "Usar o meu" in conflito.texto
    assert conflito.form["chave"] == edicao.form["chave"] and conflito.form["rg"] == "2"
    assert balcao.enviar(conflito.acao, **conflito.form).codigos == ["gravado"]
    assert no_banco(balcao, "telefone", "rg") == ("+551122223333", "2")


def test_keeping_the_present_value_sends_the_rest(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(telefone="1133334444", rg="1")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    balcao.api.editar(aluno, telefone="1144445555")
    enviado = edicao.form | {"telefone": "11 2222-3333", "rg": "2"}
    conflito = Pagina(balcao.postar(edicao.acao, **enviado))
    assert balcao.enviar(conflito.acao, **conflito.form, manter="telefone").codigos == ["gravado"]
    assert no_banco(balcao, "telefone", "rg") == ("+551144445555", "2")


def test_several_conflicts_are_decided_one_by_one(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(rg="1", bairro="A")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    balcao.api.editar(aluno, rg="2", bairro="B")
    conflito = Pagina(balcao.postar(edicao.acao, **edicao.form | {"rg": "3", "bairro": "C"}))
    assert conflito.frase("conflito") == "Alguém mudou estes campos antes."
    escolhas = {"escolha_rg": "manter", "escolha_bairro": "usar"}
    assert balcao.enviar(conflito.acao, **conflito.form | escolhas).codigos == ["gravado"]
    assert no_banco(balcao, "rg", "bairro") == ("2", "C")


def test_f5_and_a_changed_field_of_an_edit(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(rg="1", bairro="A")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    campos = edicao.form | {"rg": "2"}
    um = destino(balcao.postar(edicao.acao, **campos))
    assert destino(balcao.postar(edicao.acao, **campos)) == um
    assert balcao.enviar(edicao.acao, **campos | {"rg": "3", "bairro": "B"}).codigos == ["gravado"]
    assert no_banco(balcao, "rg", "bairro") == ("3", "B")
    assert balcao.enviar(edicao.acao, **edicao.form).codigos == ["gravado"]  # back to what it was
    assert no_banco(balcao, "rg", "bairro") == ("1", "A")


def test_a_rejected_edit_keeps_what_was_typed(balcao: Balcao) -> None:
    balcao.cadastrado(cpf="52998224725")
    outro = balcao.cadastrado(nome="Outro")
    edicao = balcao.abrir(f"/alunos/{outro}/editar")
    recusado = Pagina(balcao.postar(edicao.acao, **edicao.form | {"cpf": "52998224725", "rg": "9"}))
    assert recusado.codigos == ["cpf-em-uso"]
    assert (recusado.form["rg"], recusado.foco) == ("9", "cpf")
    recusado = Pagina(balcao.postar(edicao.acao, **edicao.form | {"nome": ""}))
    assert recusado.codigos == ["dados-invalidos"]


def test_the_civil_name_is_for_administrators(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(nome="Nome Civil", nome_social="Nome Social")
    administrador = Balcao(balcao.api, "adm", "administrador")
    for caminho in (f"/alunos/{aluno}", f"/alunos/{aluno}/editar"):
        assert "Nome Civil" not in balcao.abrir(caminho).html
        assert "Nome Civil" in administrador.abrir(caminho).html
    assert "Nome Civil" not in balcao.procurar("civil").html
    assert "Nome Civil" in administrador.procurar("social").html
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    recibo = balcao.enviar(edicao.acao, **edicao.form | {"rg": "1"})
    assert recibo.codigos == ["gravado"]
    assert "Nome Social" in recibo.texto and "Nome Civil" not in recibo.html
    assert no_banco(balcao, "nome", "rg") == ("Nome Civil", "1")
    forjado = edicao.form["visto"].replace('"nome_social"', '"nome": "x", "nome_social"')
    conflito = balcao.enviar(edicao.acao, **edicao.form | {"visto": forjado, "nome": "y"})
    assert conflito.codigos == ["conflito"] and "Nome Civil" not in conflito.html


def test_a_draft_of_an_edit_comes_back_and_can_be_dropped(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(rg="1")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    assert balcao.postar(edicao.acao + "/rascunho", **edicao.form | {"rg": "2"}).status_code == 204
    de_volta = balcao.abrir(edicao.acao)
    assert (de_volta.codigos, de_volta.form["rg"]) == (["formulario-de-volta"], "2")
    assert balcao.abrir(edicao.acao + "?de_novo=1").form["rg"] == "1"
    assert balcao.abrir(edicao.acao).codigos == []


def test_the_page_says_where_the_record_is_and_since_when(balcao: Balcao) -> None:
    aluno = balcao.cadastrado()
    texto = balcao.abrir(f"/alunos/{aluno}").texto
    assert re.search(r"Protocolo AP(-[0-9A-Z]{4}){3} Registro Gravado desde \d\d:\d\d", texto)


def test_a_student_who_is_not_there(balcao: Balcao) -> None:
    for caminho in ("", "/editar"):
        pagina = balcao.abrir(f"/alunos/00000000-0000-8000-8000-000000000000{caminho}")
        assert (pagina.status_code, pagina.codigos) == (404, ["nao-encontrado"])
