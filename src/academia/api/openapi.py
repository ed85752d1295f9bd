"""/api/openapi.json: the OpenAPI 3.1 description, made from the models and one table of addresses."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from academia.alunos.forms import AlunoMudado, AlunoNovo
from academia.alunos.pagina import MAXIMO, MAXIMO_DE_Q, PADRAO
from academia.api import esquemas
from academia.api.operacoes import OPERACOES, Operacao
from academia.api.problemas import CABECALHO_DA_CHAVE, PROBLEMAS, TIPO

openapi = Blueprint("openapi", __name__, url_prefix="/api")

_SOBRE = "Cadastro de alunos que continua também sem o banco de dados."
_REF = "#/components/schemas/"
_JSON = "application/json"
_UUID = {"type": "string", "format": "uuid"}

_PARAMETROS: dict[str, dict[str, Any]] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": _UUID},
    "referencia": {
        "name": "referencia", "in": "path", "required": True, "schema": {"type": "string"},
        "description": "a gravação (uuid) ou o protocolo",
    },
    "q": {
        "name": "q", "in": "query", "schema": {"type": "string", "maxLength": MAXIMO_DE_Q},
        "description": "palavras do nome, dígitos do CPF ou de um telefone, ou o protocolo",
    },
    "limite": {
        "name": "limite", "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAXIMO, "default": PADRAO},
    },
    "depois": {
        "name": "depois", "in": "query", "schema": {"type": "string"},
        "description": "o `proximo` da página anterior",
    },
    CABECALHO_DA_CHAVE: {
        "name": CABECALHO_DA_CHAVE, "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
        "description": "a mesma em cada repetição da mesma gravação; sem ela o servidor faz uma",
    },
}  # fmt: skip


@openapi.get("/openapi.json")
def descricao() -> dict[str, Any]:
    """What stands here is what the addresses do."""
    return _documento()


@cache
def _documento() -> dict[str, Any]:
    caminhos: dict[str, dict[str, Any]] = {}
    for operacao in OPERACOES:
        caminhos.setdefault(operacao.caminho, {})[operacao.metodo] = _operacao(operacao)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Academia", "version": "1", "description": _SOBRE},
        "paths": caminhos,
        "components": {
            "schemas": _esquemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operacao(operacao: Operacao) -> dict[str, Any]:
    descrita: dict[str, Any] = {
        "operationId": operacao.nome,
        "summary": operacao.resumo,
        "parameters": [_PARAMETROS[nome] for nome in operacao.parametros],
        "responses": {str(s): _sucesso(texto, operacao.resposta) for s, texto in operacao.sucessos.items()}
        | _falhas(operacao.problemas),
    }
    if operacao.aberta:
        descrita["security"] = []
    if operacao.corpo is not None:
        descrita["requestBody"] = {"required": True, "content": {_JSON: _esquema(operacao.corpo)}}
    return descrita


def _sucesso(texto: str, modelo: type[BaseModel] | None) -> dict[str, Any]:
    conteudo = {"schema": {"type": "object"}} if modelo is None else _esquema(modelo)
    return {"description": texto, "content": {_JSON: conteudo}}


def _falhas(codes: tuple[str, ...]) -> dict[str, Any]:
    por_status: dict[str, list[str]] = {}
    for code in codes:
        status, titulo = PROBLEMAS[code]
        por_status.setdefault(str(status), []).append(f"`{code}`: {titulo}")
    return {
        status: {"description": " · ".join(textos), "content": {TIPO: _esquema(esquemas.Problema)}}
        for status, textos in sorted(por_status.items())
    }


def _esquema(modelo: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": _REF + modelo.__name__}}


def _esquemas() -> dict[str, Any]:
    entradas = [(modelo, "validation") for modelo in (AlunoNovo, AlunoMudado)]
    saidas = [(modelo, "serialization") for modelo in esquemas.MODELOS]
    _, definicoes = models_json_schema([*entradas, *saidas], ref_template=_REF + "{model}")  # type: ignore[list-item]
    return {nome: _sem_enfeites(esquema) for nome, esquema in definicoes["$defs"].items()}


def _sem_enfeites(esquema: Any) -> Any:
    """Titles repeat the names, and a null default says only that a field may be absent."""
    if isinstance(esquema, list):
        return [_sem_enfeites(item) for item in esquema]
    if not isinstance(esquema, dict):
        return esquema
    return {
        nome: _sem_enfeites(valor)
        for nome, valor in esquema.items()
        if not (nome == "title" and isinstance(valor, str)) and not (nome == "default" and valor is None)
    }
