"""The form of the front desk: what is typed, what is read, what is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from academia.alunos.campos import COLUNAS
from academia.alunos.leitura import ler_cadastro
from academia.alunos.parecidos import Pessoa
from academia.balcao import formulario, mostrar
from academia.balcao.busca import campos_de
from academia.balcao.campos import GRUPOS, ROTULOS, todos
from academia.balcao.formulario import Formulario

_MINIMO = {"nome": "Pessoa Inventada", "celular": "11987654321"}


def test_every_field_of_the_contract_is_on_the_form_once() -> None:
    nomes = [campo.nome for campo in todos()]
    assert sorted(nomes) == sorted(COLUNAS)
    assert len(ROTULOS) == len(set(ROTULOS.values()) | {"Endereço"}) == len(COLUNAS)


@pytest.mark.parametrize(
    ("texto", "dia"),
    [
        ("3/11/26", "2026-11-03"),
        ("02031990", "1990-03-02"),
        ("020390", "1990-03-02"),
        ("2-3-1990", "1990-03-02"),
        ("2.3.90", "1990-03-02"),
        (" 2 3 1990 ", "1990-03-02"),
        ("1990-03-02", "1990-03-02"),
    ],
)
def test_a_date_may_be_typed_in_many_ways(texto: str, dia: str) -> None:
    pedido = formulario.pedido(_MINIMO | {"data_nascimento": texto})
    assert ler_cadastro(pedido).colunas()["data_nascimento"] == dia


def test_empty_fields_are_not_sent_but_clear_what_was_there_in_an_edit() -> None:
    assert "rg" not in formulario.pedido(_MINIMO | {"rg": " "})
    assert formulario.pedido({"rg": ""}, vazios=True) == {"rg": ""}


def test_a_box_that_is_not_ticked_is_no() -> None:
    assert formulario.pedido(formulario.ler(_MINIMO))["whatsapp"] is False
    assert formulario.pedido(formulario.ler(_MINIMO | {"whatsapp": "sim"}))["whatsapp"] is True
    assert "whatsapp" not in formulario.ler({"nome": "sem o campo"})


def test_what_is_shown_again_unchanged_is_no_change() -> None:
    guardado = ler_cadastro(_MINIMO | {"cpf": "52998224725", "whatsapp": True}).colunas()
    guardado |= {"observacoes": "a\r\nb", "telefone": "não tem", "rg": " 1 "}
    digitado = formulario.ler(formulario.de_guardado(guardado))
    assert formulario.mudados(digitado, guardado) == {}


def test_what_was_seen_comes_back_exactly() -> None:
    visto: dict[str, Any] = dict.fromkeys(COLUNAS) | {"observacoes": "a\r\nb", "whatsapp": False, "rg": " 1 "}
    assert formulario.ler_visto(formulario.escrever_visto(visto)) == visto
    assert "nome" not in formulario.ler_visto(formulario.escrever_visto(visto, sem=("nome",)))


@pytest.mark.parametrize("texto", ["", "[", "[1]", "null", '{"id": "x", "rg": {"a": 1}}', "[" * 100_000])
def test_what_somebody_else_wrote_into_the_hidden_field_is_nothing(texto: str) -> None:
    assert formulario.ler_visto(texto) == {}


def test_the_focus_is_on_the_first_wrong_field_else_on_the_first_empty_one() -> None:
    assert Formulario("k").primeiro == "nome"
    assert Formulario("k", {"nome": "x", "nome_social": "y"}).primeiro == "cpf"
    assert Formulario("k", {"nome": "x"}, {"turma": "não", "cep": "não"}).primeiro == "cep"


def test_a_group_with_something_in_it_is_open() -> None:
    abertos = [g.nome for g in GRUPOS if Formulario("k", {"situacao": "ativo", "rg": "1"}).aberto(g)]
    assert abertos == ["documentos"]
    erro = Formulario("k", {}, {"responsavel_cpf": "CPF inválido"})
    assert [g.nome for g in GRUPOS if erro.aberto(g)] == ["responsavel"]
    assert [g.nome for g in GRUPOS if Formulario("k", {"situacao": "inativo"}).aberto(g)] == ["matricula"]


@pytest.mark.parametrize(
    ("coluna", "guardado", "visto"),
    [
        ("cpf", "52998224725", "529.982.247-25"),
        ("cpf", "123", "123"),
        ("celular", "+5511987654321", "(11) 98765-4321"),
        ("telefone", "+351212345678", "+351 21 234 5678"),
        ("telefone", "ramal 3", "ramal 3"),
        ("cep", "01310100", "01310-100"),
        ("data_nascimento", "1990-03-02", "02/03/1990"),
        ("data_nascimento", "?", "?"),
        ("whatsapp", None, ""),
        ("nome", None, ""),
    ],
)
def test_values_have_their_brazilian_form(coluna: str, guardado: str | None, visto: str) -> None:
    assert mostrar.valor(coluna, guardado) == visto


def test_times_are_those_of_brasilia() -> None:
    quando = datetime(2026, 7, 1, 2, 5, 59, tzinfo=UTC)
    assert mostrar.hora(quando) == "23:05"
    assert mostrar.data_e_hora(quando) == "30/06/2026 23:05"


@pytest.mark.parametrize(
    ("q", "campos"),
    [
        ("  Maria   Silva ", {"nome": "Maria Silva"}),
        ("529.982.247-25", {"cpf": "529.982.247-25"}),
        ("11 3333-4444", {"celular": "(11) 3333-4444"}),
        ("12", {}),
        ("AP-7K3F-9Q2M-4TXC", {}),
        ("", {}),
    ],
)
def test_what_was_searched_begins_the_form(q: str, campos: dict[str, str]) -> None:
    assert campos_de(q) == campos


@pytest.mark.parametrize(
    ("outra", "parece"),
    [
        ({"busca": "maria da silva", "data_nascimento": "1990-03-02"}, True),
        ({"busca": "civil\nmaria silva", "data_nascimento": "1990-03-02"}, True),
        ({"busca": "maria souza", "data_nascimento": "1990-03-02"}, False),
        ({"busca": "maria silva", "data_nascimento": "1990-03-03"}, False),
        ({"busca": "ninguem", "cpf": "52998224725"}, True),
        ({"busca": "ninguem", "cpf": None}, False),
    ],
)
def test_who_looks_alike(outra: dict[str, str], parece: bool) -> None:
    pessoa = Pessoa.de({"nome": "María Silva", "cpf": "52998224725", "data_nascimento": "1990-03-02"})
    assert pessoa.parece(outra) is parece
