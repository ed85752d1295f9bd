"""Pending writes laid over rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from academia.alunos.sobrepor import sobrepor
from academia.alunos.tipos import CADASTRAR, EDITAR
from robusto.write import Write, WriteState

PENDENTE, QUARENTENA, GRAVADO = WriteState.PENDING, WriteState.QUARANTINED, WriteState.STORED


def gravacao(tipo: str, payload: dict[str, Any]) -> Write:
    return Write(
        id=uuid4(), kind=tipo, payload=payload, request_hash=b"", submit_id=uuid4(), version=1,
        ordering=(), after=(), accepted_at=datetime.now(UTC),
    )  # fmt: skip


def cadastro(**aluno: Any) -> Write:
    return gravacao(CADASTRAR, {"id": "a", "protocolo": "AP-1", "aluno": aluno})


def edicao(aluno: str = "a", **mudancas: Any) -> Write:
    return gravacao(EDITAR, {"id": aluno, "mudancas": mudancas, "visto": {}})


def test_a_pending_registration_is_a_row() -> None:
    linha = sobrepor({}, [(cadastro(nome="João"), PENDENTE)])["a"]
    assert (linha["nome"], linha["busca"], linha["estado"]) == ("João", "joao", "pendente")


def test_an_edit_behind_its_registration_shows_and_can_be_searched() -> None:
    linha = sobrepor({}, [(cadastro(nome="João"), PENDENTE), (edicao(nome="José"), PENDENTE)])["a"]
    assert (linha["nome"], linha["busca"], linha["estado"]) == ("José", "jose", "pendente")


def test_a_registration_that_was_stored_meanwhile_is_not_shown_as_pending() -> None:
    assert sobrepor({"a": {"id": "a", "nome": "João"}}, [(cadastro(nome="João"), PENDENTE)]) == {}


def test_an_edit_in_quarantine_marks_the_student_and_changes_nothing() -> None:
    base = {"a": {"id": "a", "nome": "João", "busca": "joao"}}
    linha = sobrepor(base, [(edicao(nome="José"), QUARENTENA)])["a"]
    assert (linha["nome"], linha["estado"]) == ("João", "quarentena")


def test_quarantine_stays_visible_under_a_later_pending_edit() -> None:
    base = {"a": {"id": "a", "nome": "João", "busca": "joao"}}
    linha = sobrepor(base, [(edicao(rg="1"), QUARENTENA), (edicao(rg="2"), PENDENTE)])["a"]
    assert (linha["rg"], linha["estado"]) == ("2", "quarentena")


def test_an_edit_of_an_unknown_student_shows_nothing() -> None:
    assert sobrepor({}, [(edicao(nome="José"), PENDENTE)]) == {}


def test_the_base_is_not_changed() -> None:
    base = {"a": {"id": "a", "nome": "João", "busca": "joao"}}
    sobrepor(base, [(edicao(nome="José"), GRAVADO)])
    assert base == {"a": {"id": "a", "nome": "João", "busca": "joao"}}
