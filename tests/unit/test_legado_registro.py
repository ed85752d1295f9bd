"""One record of the earlier system as a student: nothing lost, nothing invented."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academia.importacao.legado import SemNome, conteudo, interpretar
from robusto.write import canonical_json
from tests.support.legacy_file import registro


def colunas(**campos: Any) -> dict[str, Any]:
    lidas = dict(interpretar({"nome": "Pessoa"} | campos).colunas)
    assert lidas.pop("nome") == "Pessoa"
    lidas.pop("situacao")
    return lidas


def test_only_a_name_is_needed() -> None:
    lido = interpretar({"nome": " Pessoa "})
    assert lido.colunas == {"nome": "Pessoa", "situacao": "ativo"}
    assert lido.avisos == ()


@pytest.mark.parametrize("dados", [{}, {"nome": ""}, {"nome": "A definir"}, {"nome": None}, {"name": "x"}])
def test_without_a_name_there_is_no_student(dados: dict[str, Any]) -> None:
    with pytest.raises(SemNome):
        interpretar(dados)


def test_a_record_of_the_web_form_becomes_a_student() -> None:
    assert interpretar(registro(1)).colunas == {
        "nome": "Pessoa Inventada 001", "telefone": "+5511900010001", "endereco": "Rua Inventada, 1",
        "email": "pessoa1@exemplo.org", "data_nascimento": "1951-03-02", "atividade": "Hidroginástica",
        "situacao": "ativo",
    }  # fmt: skip


@pytest.mark.parametrize(
    "vazio", ["", " ", "A definir", "a DEFINIR", "N/A", "None", "não informado", None, [], {}]
)
def test_what_meant_nothing_is_nothing(vazio: Any) -> None:
    assert colunas(telefone=vazio, data_nascimento=vazio, turma=vazio, observacoes=vazio) == {}


@pytest.mark.parametrize("data", ["02/03/1990", "1990-03-02", "2/3/1990", "02/03/90"])
def test_dates_are_read_in_every_writing_that_says_a_day(data: str) -> None:
    assert colunas(data_nascimento=data) == {"data_nascimento": "1990-03-02"}


@pytest.mark.parametrize(
    ("campo", "valor"),
    [
        ("cpf", "123"),
        ("telefone", "98765"),
        ("data_nascimento", "02/03"),
        ("email", "x"),
        ("cep", "1"),
        ("uf", "São"),
    ],
)
def test_what_a_column_cannot_take_is_said_in_words_and_reported(campo: str, valor: str) -> None:
    lido = interpretar({"nome": "Pessoa", campo: valor, "observacoes": "já havia"})
    assert campo not in lido.colunas
    assert lido.colunas["observacoes"] == f"já havia\nDo cadastro anterior, {campo}: {valor}"
    assert lido.avisos == (f"guardado nas observações: {campo}",)
    assert lido.bruto[campo] == valor


def test_two_numbers_in_one_field_are_two_fields() -> None:
    dois = colunas(telefone="(11) 98765-4321 OU (11) 3333-4444")
    assert dois == {"telefone": "+5511987654321", "celular": "+551133334444"}
    assert colunas(telefone="11987654321 / 11987654321") == {"telefone": "+5511987654321"}
    tres = colunas(telefone="11987654321 ou 1133334444", celular="11912345678")
    assert tres["telefone"] == "+5511987654321"
    assert tres["celular"] == "+551133334444"
    assert "11912345678" in tres["observacoes"]


def test_whoever_was_not_active_is_not_active() -> None:
    assert interpretar({"nome": "P", "ativo": False}).colunas["situacao"] == "inativo"
    assert interpretar({"nome": "P", "ativo": True}).colunas["situacao"] == "ativo"
    assert interpretar({"nome": "P", "situacao": "Suspenso"}).colunas["situacao"] == "suspenso"
    assert "cancelado" in colunas(situacao="cancelado")["observacoes"]


def test_lists_and_numbers_become_text_and_a_guardian_four_columns() -> None:
    assert colunas(atividade=["Natação", "Vôlei"], rg=123)["atividade"] == "Natação, Vôlei"
    guardiao = colunas(responsavel={"nome": "R", "telefone": "11987654321", "cpf": "1"})
    assert guardiao["responsavel_nome"] == "R"
    assert guardiao["responsavel_telefone"] == "+5511987654321"
    assert "responsavel_cpf: 1" in guardiao["observacoes"]
    assert colunas(responsavel_nome="R") == {"responsavel_nome": "R"}
    assert "responsavel_nome" not in colunas(responsavel="só um texto")


def test_the_key_is_its_own_identifier_or_what_it_says() -> None:
    assert interpretar(registro(1)).chave == "fallback_1715000001_-199"
    pessoal = interpretar(registro(1, id_unico="ab12cd34_7"))
    assert (pessoal.chave, pessoal.pessoal) == ("ab12cd34_7", True)
    sem, igual, outro = (interpretar({"nome": "P", "rg": rg}) for rg in ("1", "1", "2"))
    assert sem.identificador is None
    assert sem.chave == igual.chave != outro.chave
    assert interpretar({"nome": "P", "id_unico": "x\x00" * 150}).identificador is None


def test_what_the_fallback_added_is_no_part_of_the_content() -> None:
    assert interpretar(registro(1)).conteudo == conteudo(registro(1, fallback_timestamp="depois"))
    assert "status" not in conteudo(registro(1))


def test_characters_that_nothing_can_hold_are_replaced_and_reported() -> None:
    lido = interpretar({"nome": "A\x00b\ud800c", "dia": date(2024, 1, 2), "n": float("nan"), 3: object})
    assert lido.colunas["nome"] == "A\ufffdb\ufffdc"
    assert lido.bruto["dia"] == "2024-01-02"
    assert lido.avisos


@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.floats() | st.text() | st.dates(), st.lists), max_size=5
    )
)
def test_whatever_a_record_holds_can_be_kept(dados: dict[str, Any]) -> None:
    lido = interpretar(dados | {"nome": "Pessoa"})
    canonical_json(lido.bruto)
    canonical_json(lido.colunas)
    json.dumps(lido.avisos)
