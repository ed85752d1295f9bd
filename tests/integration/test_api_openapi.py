"""The description of the API is what the API does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from academia.alunos.campos import CAMPOS
from academia.api.problemas import PROBLEMAS
from tests.support.api import Api, Resposta, aplicacao

NINGUEM = "postgresql://ninguem@127.0.0.1:9/nada"


@pytest.fixture
def sem_banco(tmp_path: Path) -> Iterator[Api]:
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False) as pronta:
        yield pronta


@pytest.fixture
def documento(sem_banco: Api) -> dict[str, Any]:
    resposta = Resposta(sem_banco.app.test_client().get("/api/openapi.json"))
    assert (resposta.status_code, resposta.content_type) == (200, "application/json")
    return resposta.json


def test_every_address_and_method_is_described_and_no_other(
    sem_banco: Api, documento: dict[str, Any]
) -> None:
    existentes = {
        (str(regra).replace("<", "{").replace(">", "}").replace("id_aluno", "id"), metodo.lower())
        for regra in sem_banco.app.url_map.iter_rules()
        if str(regra).startswith("/api/")
        for metodo in (regra.methods or set()) - {"HEAD", "OPTIONS"}
    }
    descritos = {(caminho, metodo) for caminho, metodos in documento["paths"].items() for metodo in metodos}
    assert descritos == existentes
    assert documento["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere_and_every_schema_is_used(documento: dict[str, Any]) -> None:
    usadas = set(referencias(documento["paths"]))
    pendentes = list(usadas)
    while pendentes:
        nome = pendentes.pop().removeprefix("#/components/schemas/")
        novas = set(referencias(documento["components"]["schemas"][nome])) - usadas
        usadas |= novas
        pendentes += novas
    assert {u.removeprefix("#/components/schemas/") for u in usadas} == set(
        documento["components"]["schemas"]
    )


def referencias(parte: Any) -> Iterator[str]:
    if isinstance(parte, dict):
        if "$ref" in parte:
            yield parte["$ref"]
        for valor in parte.values():
            yield from referencias(valor)
    elif isinstance(parte, list):
        for item in parte:
            yield from referencias(item)


def test_every_field_of_a_student_is_in_every_schema_of_one(documento: dict[str, Any]) -> None:
    esquemas = documento["components"]["schemas"]
    assert set(esquemas["AlunoNovo"]["properties"]) == set(CAMPOS)
    assert esquemas["AlunoNovo"]["required"] == ["nome"]
    assert esquemas["AlunoNovo"]["properties"]["situacao"]["default"] == "ativo"
    assert set(esquemas["AlunoMudado"]["properties"]) == {*CAMPOS, "visto"}
    assert "default" not in json.dumps(esquemas["AlunoMudado"])
    assert set(esquemas["AlunoVisto"]["properties"]) == set(CAMPOS)
    assert set(esquemas["Aluno"]["required"]) == {*CAMPOS, "id", "protocolo", "estado"}
    for nome in ("AlunoNovo", "AlunoMudado", "AlunoVisto", "Responsavel"):
        assert esquemas[nome]["additionalProperties"] is False


def test_every_answer_of_an_error_stands_with_its_codes(documento: dict[str, Any]) -> None:
    escrever = documento["paths"]["/api/alunos"]["post"]["responses"]
    assert set(escrever) == {"201", "202", "400", "401", "409", "413", "422", "503"}
    for operacoes in documento["paths"].values():
        for operacao in operacoes.values():
            for status, resposta in operacao["responses"].items():
                if int(status) >= 400:
                    codes = {code for code, (deste, _) in PROBLEMAS.items() if deste == int(status)}
                    assert any(f"`{code}`" in resposta["description"] for code in codes)
                    assert list(resposta["content"]) == ["application/problem+json"]


def test_only_the_description_needs_no_token(documento: dict[str, Any]) -> None:
    abertas = [
        caminho
        for caminho, operacoes in documento["paths"].items()
        for operacao in operacoes.values()
        if operacao.get("security") == []
    ]
    assert abertas == ["/api/openapi.json"]
    assert documento["security"] == [{"token": []}]
