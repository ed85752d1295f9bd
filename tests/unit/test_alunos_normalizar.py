"""The normaliser of searching, and the predicate that is built on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academia.alunos.consulta import Consulta
from academia.alunos.leitura import ler_cadastro
from academia.alunos.normalizar import SEPARADOR, normalizar, so_digitos, texto_de_busca
from academia.alunos.sobrepor import cadastrada
from robusto.identity import protocol_number
from tests.support.search_cases import CASOS, PESSOAS


@pytest.mark.parametrize(
    ("texto", "normalizado"),
    [
        ("João  da   Conceição", "joao da conceicao"),
        (" ÁÉÍÓÚ çÇ ñ ", "aeiou cc n"),
        ("D'Ávila", "davila"),
        ("D’Ávila", "davila"),
        ("D´Avila", "davila"),
        ("Ana-Clara", "ana clara"),
        ("Straße", "strasse"),
        ("ＡＢＣ", "abc"),
        ("ﬁm", "fim"),
        ("İstanbul", "istanbul"),
        ("한국", "한국"),
        ("", ""),
        ("- -", ""),
    ],
)
def test_case_accents_apostrophes_and_spaces_do_not_matter(texto: str, normalizado: str) -> None:
    assert normalizar(texto) == normalizado


@given(st.text())
def test_normalising_twice_changes_nothing_more(texto: str) -> None:
    uma_vez = normalizar(texto)
    assert normalizar(uma_vez) == uma_vez
    assert SEPARADOR not in uma_vez


@given(st.text(max_size=200), st.text(max_size=200))
def test_what_is_stored_to_be_found_fits_into_an_index(nome: str, social: str) -> None:
    assert len(texto_de_busca(nome, social).encode()) <= 2000


def test_digits_are_found_in_any_writing_of_a_number() -> None:
    assert so_digitos("+55 (11) 98765-4321") == "5511987654321"
    assert so_digitos("529.982.247-25") == "52998224725"
    assert so_digitos("11 abc") == ""
    assert so_digitos("١٢٣") == ""


@pytest.mark.parametrize(("q", "achados"), CASOS)
def test_the_predicate_finds_who_the_table_says(q: str, achados: set[str]) -> None:
    consulta = Consulta.de(q)
    linhas = {nome: linha_de(nome) for nome in PESSOAS}
    assert {nome for nome, linha in linhas.items() if consulta.encontra(linha)} == achados


def test_a_protocol_number_finds_its_student_however_it_is_typed() -> None:
    linha = linha_de("joao")
    protocolo = linha["protocolo"]
    for q in (protocolo, protocolo.lower(), protocolo.replace("-", ""), protocolo.replace("0", "O")):
        assert Consulta.de(q).encontra(linha), q
    assert not Consulta.de(protocolo).encontra(linha_de("davila"))


def test_an_exact_name_comes_before_a_longer_one() -> None:
    consulta = Consulta.de("ana")
    exata = {"id": "2", "busca": "ana"}
    social = {"id": "3", "busca": "zilda" + SEPARADOR + "ana"}
    maior = {"id": "1", "busca": "ana beatriz"}
    assert sorted([maior, social, exata], key=consulta.posicao) == [exata, social, maior]


def linha_de(nome: str) -> dict[str, Any]:
    gravacao = UUID(int=list(PESSOAS).index(nome) * (1 << 90) + (0x8 << 76))
    colunas = ler_cadastro(PESSOAS[nome]).colunas()
    return cadastrada({"id": str(gravacao), "protocolo": protocol_number(gravacao), "aluno": colunas})
