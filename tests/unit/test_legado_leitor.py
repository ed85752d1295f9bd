"""Files of the earlier system, whole and damaged: every whole record is saved, the rest is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academia.importacao.leitor import Achado, Perdido, ler
from tests.support.legacy_file import registros


def partes(dados: bytes) -> tuple[list[dict[str, Any]], list[Perdido]]:
    itens = list(ler(dados))
    return (
        [item.registro for item in itens if isinstance(item, Achado)],
        [item for item in itens if isinstance(item, Perdido)],
    )


def nomes(dados: bytes) -> tuple[list[str], int]:
    achados, perdidos = partes(dados)
    return [achado["nome"] for achado in achados], len(perdidos)


def inteiro(quantos: int) -> bytes:
    return json.dumps(registros(quantos), ensure_ascii=False, indent=2).encode()


def test_a_whole_file_is_read_without_a_report() -> None:
    assert partes(inteiro(500)) == (registros(500), [])
    assert partes(json.dumps(registros(3), separators=(",", ":")).encode()) == (registros(3), [])
    assert partes(b"\xef\xbb\xbf" + inteiro(3)) == (registros(3), [])
    assert partes(b" [] ") == ([], [])
    assert partes(b"{}") == ([], [])


def test_a_file_cut_off_anywhere_gives_its_whole_records_and_one_report() -> None:
    dados = inteiro(3)
    for fim in range(1, len(dados)):
        achados, perdidos = partes(dados[:fim])
        inteiros = dados[:fim].count(b"\n  }")
        assert achados == registros(3)[:inteiros], fim
        assert len(perdidos) == 1, fim


def test_the_report_names_the_line() -> None:
    dados = inteiro(2)
    linha = dados.count(b"\n", 0, dados.rindex(b"{")) + 1
    assert partes(dados[:-20])[1] == [Perdido("registro cortado ou danificado", linha)]


@pytest.mark.parametrize(
    ("dados", "esperados", "relatos"),
    [
        (b'[{"nome":"a"},1,"x",null,[],{"nome":"b"}]', ["a", "b"], 4),
        (b'[{"nome":"a","x": },{"nome":"b"}]', ["b"], 1),
        (b'[{"nome":"a","x":"aberto},{"nome":"b"},{"nome":"c"}]', ["b", "c"], 1),
        (b'[{"nome":"a"}{"nome":"b"}]', ["a", "b"], 0),
        (b'[{"nome":"a"},,{"nome":"b"},]', ["a", "b"], 0),
        (b'[{"nome":"a"}][{"nome":"b"}]', ["a", "b"], 1),
        (b'[{"nome":"a"}]]}', ["a"], 1),
        (b'ome":"x"},{"nome":"a"},{"nome":"b"}]', ["a", "b"], 1),
        (b'{"nome":"a"}', ["a"], 0),
        (b'{"nome":"a","responsavel":{"nome":"r"}}', ["a"], 0),
        (b'{"nome":"a"}{"nome":"b"}', ["a", "b"], 1),
        (b'{"nome":"a"},\n{"nome":"b"}\n', ["a", "b"], 1),
        (b'{"f1":{"nome":"a"},"f2":{"nome":"b"}}', ["a", "b"], 0),
        (b'{"f1":{"nome":"a"},"f2":{"nome":"b","x":', ["a"], 1),
        (b'{"f1":{"nome":"a"},"f2":{"nome":"b","x":?},"f3":{"nome":"c"}}', ["a", "c"], 1),
        (b'{"versao":1,"cadastros":[{"nome":"a"},{"nome":"b"}]}', ["a", "b"], 1),
        (b'{"cadastros":[{"nome":"a"},{"nome":"b"', ["a"], 1),
        (b"", [], 1),
        (b"\x00\x00\x00\x00", [], 1),
        (b"nada de JSON", [], 1),
    ],
)
def test_damage_costs_what_is_damaged_and_nothing_else(
    dados: bytes, esperados: list[str], relatos: int
) -> None:
    assert nomes(dados) == (esperados, relatos)


def test_a_guardian_inside_a_damaged_record_is_made_no_student() -> None:
    cortado = b'[{"nome":"a","responsavel":{"nome":"r","cpf":"1"},"obs":"cort'
    assert nomes(cortado) == ([], 1)
    assert nomes(b'{"f1":' + cortado[1:]) == ([], 1)


def test_a_wrong_character_costs_only_itself() -> None:
    dados = '[{"nome":"João"},'.encode() + '{"nome":"Conceição"}]'.encode("cp1252")
    itens = list(ler(dados))
    assert [item.registro["nome"] for item in itens if isinstance(item, Achado)] == ["João", "Conceição"]
    assert [len(item.avisos) for item in itens if isinstance(item, Achado)] == [0, 1]


def test_lenient_json_is_read() -> None:
    assert partes(b'[{"nome":"a\nb","x":NaN,"nome":"c"}]') == (
        [{"nome": "a\nb", "x": "NaN", "nome (2)": "c"}],
        [],
    )


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_it_is_read_to_its_end(dados: bytes) -> None:
    list(ler(dados))


@given(st.integers(0, 5000), st.binary(max_size=3))
def test_any_damage_leaves_the_other_records(onde: int, lixo: bytes) -> None:
    dados = inteiro(10)
    onde %= len(dados)
    achados, _ = partes(dados[:onde] + lixo + dados[onde + len(lixo) :])
    assert sum(registro in achados for registro in registros(10)) >= 8
