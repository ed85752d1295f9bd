"""What a caller may send about a student."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academia.alunos import valores
from academia.alunos.campos import CAMPOS, COLUNAS, achatar, aninhar, completo
from academia.alunos.leitura import DadosInvalidos, ler_cadastro, ler_edicao

RESPONSAVEL = {"nome": "R", "cpf": "111.444.777-35", "telefone": "11 91234-5678", "parentesco": "mãe"}
MINIMO = {"nome": "Pessoa Inventada", "telefone": "(11) 98765-4321"}


def colunas(**campos: Any) -> dict[str, Any]:
    return ler_cadastro(MINIMO | campos).colunas()


def mensagens(**campos: Any) -> dict[str, list[str]]:
    with pytest.raises(DadosInvalidos) as erro:
        ler_cadastro(MINIMO | campos)
    return erro.value.campos


def test_every_field_of_the_contract_is_taken_and_kept() -> None:
    dados = {
        "nome": "Pessoa Inventada", "nome_social": "Outra", "cpf": "529.982.247-25", "rg": "12.345.678-9",
        "data_nascimento": "02/03/1990", "sexo": "F", "estado_civil": "solteira", "telefone": "1133334444",
        "celular": "11987654321", "whatsapp": True, "email": "a@exemplo.org", "cep": "01310-100",
        "endereco": "Rua Inventada, 1", "bairro": "Centro", "cidade": "Lugar", "uf": "sp",
        "titulo_eleitor": "1234", "zona": "1", "secao": "2", "municipio": "Lugar",
        "responsavel": RESPONSAVEL,
        "atividade": "Natação", "turma": "18:00", "indicacao": "amiga", "observacoes": "duas\nlinhas",
        "situacao": "suspenso",
    }  # fmt: skip
    assert set(dados) == set(CAMPOS)
    guardado = ler_cadastro(dados).colunas()
    assert set(guardado) == set(COLUNAS)
    assert completo(guardado) == dados | {
        "cpf": "52998224725", "data_nascimento": "1990-03-02", "telefone": "+551133334444", "uf": "SP",
        "celular": "+5511987654321", "cep": "01310100",
        "responsavel": {"nome": "R", "cpf": "11144477735", "telefone": "+5511912345678", "parentesco": "mãe"},
    }  # fmt: skip


def test_only_a_name_and_one_contact_are_needed() -> None:
    assert colunas() == {"nome": "Pessoa Inventada", "telefone": "+5511987654321", "situacao": "ativo"}
    for contato in (
        {"celular": "11987654321"},
        {"email": "a@b.org"},
        {"responsavel": {"telefone": "1133334444"}},
    ):
        assert ler_cadastro({"nome": "P"} | contato).nome == "P"


@pytest.mark.parametrize("dados", [{}, {"telefone": "11987654321"}, {"nome": " ", "telefone": "11987654321"}])
def test_without_a_name_it_says_so(dados: dict[str, str]) -> None:
    with pytest.raises(DadosInvalidos) as erro:
        ler_cadastro(dados)
    assert "nome" in erro.value.campos


def test_without_a_contact_it_says_so() -> None:
    assert "contato" in mensagens(telefone="")["telefone"][0]


def test_an_unknown_field_is_refused_also_inside_the_guardian() -> None:
    assert mensagens(apelido="x", responsavel={"idade": 3}) == {
        "apelido": ["Campo desconhecido."],
        "responsavel.idade": ["Campo desconhecido."],
    }


@pytest.mark.parametrize(
    "cpf", ["111.111.111-11", "529.982.247-26", "123", "abc", "5299822472５", "+52998224725"]
)
def test_a_wrong_cpf_is_refused(cpf: str) -> None:
    assert "cpf" in mensagens(cpf=cpf)


@pytest.mark.parametrize(
    "telefone",
    ["987654321", "(23) 98765-4321", "11 98765-4321 OU 11 3333-4444", "11 5555-ABCD", "tel", "1" * 60],
)
def test_a_wrong_telephone_number_is_refused(telefone: str) -> None:
    assert "telefone" in mensagens(telefone=telefone)


@pytest.mark.parametrize(
    ("digitado", "guardado"),
    [
        ("1990-03-02", "1990-03-02"),
        ("02/03/1990", "1990-03-02"),
        ("2/3/1990", "1990-03-02"),
        ("29/02/2000", "2000-02-29"),
        (" 02/03/1990 ", "1990-03-02"),
        ("3/11/26", "2026-11-03" if date(2026, 11, 3) <= valores.hoje() else "1926-11-03"),
        ("3/11/30", "1930-11-03" if valores.hoje() < date(2030, 11, 3) else "2030-11-03"),
    ],
)
def test_dates_are_read_in_both_writings(digitado: str, guardado: str) -> None:
    assert colunas(data_nascimento=digitado)["data_nascimento"] == guardado


@pytest.mark.parametrize(
    "data", ["30/02/1990", "1990-13-01", "02-03-1990", "ontem", "02/03/0090", "1899-12-31", "٠٢/٠٣/١٩٩٠"]
)
def test_a_date_that_does_not_exist_is_refused(data: str) -> None:
    assert "data_nascimento" in mensagens(data_nascimento=data)


def test_nobody_is_born_tomorrow() -> None:
    amanha = valores.hoje() + timedelta(days=1)
    assert "futuro" in mensagens(data_nascimento=amanha.isoformat())["data_nascimento"][0]
    assert colunas(data_nascimento=valores.hoje().isoformat())


@pytest.mark.parametrize("texto", ["a\x00b", "a\ud800b", "a\nb", "a\x1bb", "a\x85b"])
def test_text_that_cannot_be_shown_is_refused(texto: str) -> None:
    assert "endereco" in mensagens(endereco=texto)


def test_notes_may_have_lines_but_no_control_characters() -> None:
    assert colunas(observacoes="a\r\nb\tc")["observacoes"] == "a\r\nb\tc"
    assert "observacoes" in mensagens(observacoes="a\x00")


def test_text_is_bounded() -> None:
    assert colunas(nome="n" * 200, observacoes="o" * 4000)
    assert set(mensagens(nome="n" * 201, observacoes="o" * 4001, rg="r" * 201)) == {
        "nome",
        "observacoes",
        "rg",
    }


@pytest.mark.parametrize("valor", [1, 1.5, True, [], {}])
def test_text_fields_take_text_only(valor: object) -> None:
    assert mensagens(endereco=valor) == {"endereco": ["Deve ser um texto."]}


def test_an_unknown_state_is_refused_and_an_unknown_class_is_text() -> None:
    assert "situacao" in mensagens(situacao="cancelado")
    assert colunas(turma="Turma que não existe", atividade="Vôo")["turma"] == "Turma que não existe"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
def test_free_text_is_kept_as_it_came(texto: str) -> None:
    esperado = texto if texto.strip() else None
    assert colunas(endereco=texto).get("endereco") == esperado


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_whatever_comes_is_read_or_refused_with_messages(valor: Any) -> None:
    for dados in (dict.fromkeys(CAMPOS, valor), valor if isinstance(valor, dict) else {"x": valor}):
        for ler in (ler_cadastro, ler_edicao):
            try:
                ler(dados)
            except DadosInvalidos as erro:
                json.dumps(erro.campos)


def test_an_edit_has_only_the_fields_that_were_sent() -> None:
    mudado = ler_edicao({"telefone": "11 98765-4321", "rg": None, "responsavel": {"nome": "R"}})
    assert mudado.mudancas() == {"telefone": "+5511987654321", "rg": None, "responsavel_nome": "R"}


def test_an_edit_clears_the_guardian_as_a_whole() -> None:
    assert set(ler_edicao({"responsavel": None}).mudancas().items()) == {
        (f"responsavel_{parte}", None) for parte in ("nome", "cpf", "telefone", "parentesco")
    }


@pytest.mark.parametrize("dados", [{}, {"visto": {"rg": "1"}}, {"responsavel": {}}])
def test_an_edit_of_nothing_is_refused(dados: dict[str, Any]) -> None:
    with pytest.raises(DadosInvalidos):
        ler_edicao(dados)


@pytest.mark.parametrize(
    "dados", [{"nome": None}, {"nome": ""}, {"situacao": None}, {"visto": {"x": 1}, "rg": "1"}]
)
def test_an_edit_cannot_clear_what_everybody_has(dados: dict[str, Any]) -> None:
    with pytest.raises(DadosInvalidos):
        ler_edicao(dados)


def test_values_seen_are_compared_in_their_stored_form() -> None:
    visto = {
        "telefone": "(11) 98765-4321", "data_nascimento": "2/3/1990", "rg": "", "cpf": "de outro sistema",
        "responsavel": {"cpf": "111.444.777-35"},
    }  # fmt: skip
    lido = ler_edicao({"rg": "1", "visto": visto}).visto
    assert lido is not None
    assert lido.colunas() == {
        "telefone": "+5511987654321", "data_nascimento": "1990-03-02", "rg": None, "cpf": "de outro sistema",
        "responsavel_cpf": "11144477735",
    }  # fmt: skip


def test_fields_and_columns_are_two_views_of_the_same() -> None:
    campos = {"nome": "P", "responsavel": {"nome": "R", "telefone": None}}
    assert aninhar(achatar(campos)) == campos
