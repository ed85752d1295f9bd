"""The table of the addresses of /api: what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from academia.alunos.forms import AlunoMudado, AlunoNovo
from academia.api import esquemas
from academia.api.problemas import CABECALHO_DA_CHAVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Operacao:
    """One method of one address."""

    metodo: str
    caminho: str
    nome: str
    resumo: str
    sucessos: Mapping[int, str]
    resposta: type[BaseModel] | None = None
    corpo: type[BaseModel] | None = None
    parametros: tuple[str, ...] = ()
    problemas: tuple[str, ...] = field(default=())
    aberta: bool = False


_DE_TODAS = ("nao-autenticado",)
_DE_ESCRITA = (
    *_DE_TODAS,
    "json-invalido",
    "corpo-grande",
    "cpf-em-uso",
    "dados-invalidos",
    "chave-invalida",
    "chave-reutilizada",
    "nao-guardado",
    "resultado-desconhecido",
)
_ACEITO_PENDENTE = "aceita e guardada; em `estado`, onde está"

OPERACOES: tuple[Operacao, ...] = (
    Operacao(
        metodo="post",
        caminho="/api/alunos",
        nome="registrarAluno",
        resumo="Cadastra um aluno: nome e um contato (telefone, celular, e-mail ou telefone do responsável).",
        corpo=AlunoNovo,
        resposta=esquemas.Aceito,
        sucessos={201: "gravado", 202: _ACEITO_PENDENTE},
        parametros=(CABECALHO_DA_CHAVE,),
        problemas=_DE_ESCRITA,
    ),
    Operacao(
        metodo="get",
        caminho="/api/alunos",
        nome="listarAlunos",
        resumo="Procura alunos; também sem o banco de dados, e também os pendentes.",
        resposta=esquemas.ListaDeAlunos,
        sucessos={200: "uma página"},
        parametros=("q", "limite", "depois"),
        problemas=(*_DE_TODAS, "dados-invalidos", "erro-interno", "desconhecido"),
    ),
    Operacao(
        metodo="get",
        caminho="/api/alunos/{id}",
        nome="verAluno",
        resumo="Um aluno.",
        resposta=esquemas.Aluno,
        sucessos={200: "o aluno"},
        parametros=("id",),
        problemas=(*_DE_TODAS, "nao-encontrado", "erro-interno", "desconhecido"),
    ),
    Operacao(
        metodo="patch",
        caminho="/api/alunos/{id}",
        nome="mudarAluno",
        resumo="Muda campos de um aluno; null limpa um campo.",
        corpo=AlunoMudado,
        resposta=esquemas.Aceito,
        sucessos={200: "gravado", 202: _ACEITO_PENDENTE},
        parametros=("id", CABECALHO_DA_CHAVE),
        problemas=(*_DE_ESCRITA, "nao-encontrado", "conflito"),
    ),
    Operacao(
        metodo="get",
        caminho="/api/gravacoes/{referencia}",
        nome="verGravacao",
        resumo="Onde está uma gravação.",
        resposta=esquemas.Gravacao,
        sucessos={200: "a gravação"},
        parametros=("referencia",),
        problemas=(*_DE_TODAS, "nao-encontrado", "erro-interno", "desconhecido"),
    ),
    Operacao(
        metodo="get",
        caminho="/api/openapi.json",
        nome="descricao",
        resumo="Esta descrição.",
        sucessos={200: "OpenAPI 3.1"},
        aberta=True,
    ),
)
