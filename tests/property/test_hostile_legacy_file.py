"""Fault 48 at the importer: whatever a file has become, each record is imported or reported, once."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from academia.importacao.execucao import executar
from academia.importacao.importador import Importador
from academia.importacao.legado import interpretar
from academia.importacao.leitor import Achado, Perdido, ler
from academia.importacao.relatorio import Relatorio, Resultado
from tests.support.api import Api, api
from tests.support.hostile import JSONS, LONE_SURROGATE, fuzzed, good_values, texts
from tests.support.legacy_file import registro, registros
from tests.support.postgres_server import PostgresServer

__all__ = ["api"]

_FIELDS = (*registro(0), "id_unico", "cpf", "responsavel", "ativo", "situacao", "whatsapp", "celular", "sexo")
_CODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "cp037")
#: JSON that Python reads and somebody may have written; the importer has to live with each at any field.
_VALUES = st.sampled_from(
    [
        "1e999", "-1e999", "NaN", "-Infinity", "1e23", "5e-324", "-0.0", "9" * 4000, "9" * 5000,
        "[" * 30 + "]" * 30, '{"nome": "a"}',
        '{"a\\u0000": 1, "a\\ufffd": 2}', '"\\ud800"', '"\\u0000"', "true",
        "null", "[]", "{}", '""', '"' + "x" * 20_000 + '"', '[["a"], {"b": [null, "c OU d"]}]',
    ]
)  # fmt: skip


def file_of(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of three people, to which something has happened."""
    data = bytearray(file_of(registros(3)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        until = at + draw(st.integers(1, 300))
        match draw(st.sampled_from(["flip", "flip", "cut", "gone", "twice", "in", "value", "coded anew"])):
            case "flip":
                data[at : at + 1] = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at : at + 1])
            case "cut":
                del data[at:]
            case "gone":
                del data[at:until]
            case "twice":
                data[at:at] = data[at:until]
            case "in":
                data[at:at] = draw(st.binary(max_size=9) | st.sampled_from(JSONS))
            case "value":
                mark = data.find(b'": "', at)
                end = data.find(b'"', mark + 4)
                if 0 <= mark < end:
                    data[mark + 3 : end + 1] = draw(_VALUES).encode()
            case _:
                data = bytearray(
                    data.decode("utf-8", "replace").encode(draw(st.sampled_from(_CODINGS)), "replace")
                )
    return bytes(data)


odd_values = good_values | texts | st.just(LONE_SURROGATE)
odd_records = st.lists(
    st.dictionaries(st.sampled_from(_FIELDS), odd_values, max_size=4).map(lambda some: registro(1) | some)
    | st.dictionaries(st.sampled_from(_FIELDS) | texts, odd_values, max_size=5),
    max_size=4,
)  # fmt: skip
odd_files = damaged() | odd_records.map(file_of) | st.sampled_from(JSONS) | st.binary(max_size=200)


def test_a_flipped_bit_costs_no_record_but_its_own() -> None:
    people = registros(2)
    good = file_of(people)
    for at, bit in product(range(len(good)), range(8)):
        data = bytearray(good)
        data[at] ^= 1 << bit
        items = list(ler(bytes(data)))
        whole = [item.registro for item in items if isinstance(item, Achado)]
        lost = [person for person in people if person not in whole]
        assert len(lost) <= 1, (at, bit)
        assert len(items) >= len(people), (at, bit)


def test_a_list_whose_bracket_became_a_brace_is_still_a_list() -> None:
    data = file_of(registros(3))
    whole = [item.registro for item in ler(b"{" + data[1:]) if isinstance(item, Achado)]
    assert whole == registros(3)


def test_two_names_that_become_one_when_they_are_cleaned_keep_both_values() -> None:
    record = interpretar({"nome": "Ana", "a\x00": 1, "a\ufffd": 2, "mais": {"b\x00": 3, "b\ufffd": 4}})
    assert record.bruto == {
        "nome": "Ana",
        "a\ufffd": 1,
        "a\ufffd (2)": 2,
        "mais": {"b\ufffd": 3, "b\ufffd (2)": 4},
    }


@fuzzed(150)
@given(odd_files)
def test_every_stretch_of_a_file_is_a_record_or_is_reported_with_its_line(data: bytes) -> None:
    items = list(ler(data))
    assert items or not data.strip(b" \t\r\n,[]{}\xef\xbb\xbf\x00")
    lines = data.count(b"\n") + 1
    assert all(1 <= item.linha <= lines for item in items if isinstance(item, Perdido))


class Import:
    """Imports one file after the other, and looks at what is there then."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api = api
        self.file = folder / "cadastros_fallback.json"
        self.run = 0

    def __call__(self, data: bytes) -> Relatorio:
        self.file.write_bytes(data)
        with self.api.app.app_context():
            report = executar(self.file, Importador(self.api.motor), lambda items: items)
        assert self.file.read_bytes() == data, "the file was changed"
        refused = [each for each in report.relatos if each["motivo"]]
        assert len(refused) == len(report.relatos)
        assert not report.interrompido
        assert sum(report.contagem.values()) == len(list(ler(data))), "a record was passed over"
        assert report.contagem[Resultado.RECUSADO] <= len(report.relatos)
        return report

    def rows(self) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.api.database) as connection:
            return connection.execute("SELECT * FROM alunos ORDER BY id").fetchall()


@pytest.fixture
def importing(api: Api, tmp_path: Path) -> Import:
    return Import(api, tmp_path)


@pytest.mark.postgres
def test_a_file_is_imported_or_reported_record_by_record_and_a_second_run_changes_nothing(
    importing: Import,
) -> None:
    @fuzzed(30)
    @given(odd_files)
    def both_runs(data: bytes) -> None:
        before = len(importing.rows())
        first = importing(data)
        rows = importing.rows()
        assert len(rows) - before == first.contagem[Resultado.IMPORTADO]
        second = importing(data)
        assert importing.rows() == rows
        assert second.contagem[Resultado.IMPORTADO] == second.contagem[Resultado.ATUALIZADO] == 0
        assert second.contagem[Resultado.RECUSADO] == first.contagem[Resultado.RECUSADO]

    both_runs()


@pytest.mark.postgres
def test_in_an_outage_it_is_the_same_and_nothing_of_it_becomes_poison(
    importing: Import, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    taken = 0

    @fuzzed(30)
    @given(odd_files)
    def both_runs(data: bytes) -> None:
        nonlocal taken
        taken += importing(data).contagem[Resultado.IMPORTADO]
        assert importing(data).contagem[Resultado.IMPORTADO] == 0

    both_runs()
    assert taken
    postgres_server.start()
    importing.api.esperar_tudo_gravado()
    assert {entry.reason for entry in importing.api.motor.quarantine.list()} <= {"23505", "conflict"}
    assert importing.api.motor.verify().holds
