"""From a caller's JSON object to a checked form, or to the messages that stand at its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from academia.alunos.campos import CONTATOS
from academia.alunos.forms import AlunoMudado, AlunoNovo

_Modelo = TypeVar("_Modelo", bound=BaseModel)

_MENSAGENS = {
    "missing": "Campo obrigatório.",
    "extra_forbidden": "Campo desconhecido.",
    "string_type": "Deve ser um texto.",
    "string_unicode": "Contém um caractere inválido.",
    "string_too_long": "Texto longo demais: no máximo {max_length} caracteres.",
    "bool_type": "Deve ser true ou false.",
    "literal_error": "Valor desconhecido; use ativo, inativo, suspenso ou transferido.",
    "model_type": "Deve ser um objeto.",
    "value_error": "{error}",
}
_SEM_CONTATO = "Informe um contato: telefone, celular, e-mail ou telefone do responsável."
#: An answer is no place to send a hostile body back.
_MAXIMO_DE_CAMPOS = 60
_MAXIMO_DO_NOME = 80


class DadosInvalidos(Exception):
    """The form cannot be taken; `campos` says why, field by field."""

    def __init__(self, campos: Mapping[str, list[str]]) -> None:
        super().__init__("dados inválidos")
        self.campos = dict(campos)


def ler_cadastro(dados: Mapping[str, Any]) -> AlunoNovo:
    """Raises DadosInvalidos."""
    aluno = _ler(AlunoNovo, dados)
    colunas = aluno.colunas()
    if not any(colunas.get(contato) for contato in CONTATOS):
        raise DadosInvalidos({"telefone": [_SEM_CONTATO]})
    return aluno


def ler_edicao(dados: Mapping[str, Any]) -> AlunoMudado:
    """Raises DadosInvalidos, also where nothing is to be changed."""
    mudado = _ler(AlunoMudado, dados)
    if not mudado.mudancas():
        raise DadosInvalidos({"nome": ["Informe ao menos um campo a mudar."]})
    return mudado


def _ler(modelo: type[_Modelo], dados: Mapping[str, Any]) -> _Modelo:
    try:
        return modelo.model_validate(dados)
    except ValidationError as erro:
        raise DadosInvalidos(_campos(erro)) from None


def _campos(erro: ValidationError) -> dict[str, list[str]]:
    campos: dict[str, list[str]] = {}
    for detalhe in erro.errors(include_url=False, include_input=False)[:_MAXIMO_DE_CAMPOS]:
        campo = ".".join(map(str, detalhe["loc"]))[:_MAXIMO_DO_NOME] or "?"
        mensagem = _MENSAGENS.get(detalhe["type"], "Valor inválido.").format(**detalhe.get("ctx", {}))
        campos.setdefault(campo, []).append(mensagem)
    return campos
