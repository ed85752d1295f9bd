"""The fields of a student: their names in the API and the columns that hold them.

One table for both: whatever is on the form is stored, and whatever is stored can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: In the order of the form and of every answer. `responsavel` is an object in the API.
CAMPOS = (
    "nome", "nome_social", "cpf", "rg", "data_nascimento", "sexo", "estado_civil", "telefone", "celular",
    "whatsapp", "email", "cep", "endereco", "bairro", "cidade", "uf", "titulo_eleitor", "zona", "secao",
    "municipio", "responsavel", "atividade", "turma", "indicacao", "observacoes", "situacao",
)  # fmt: skip

CAMPOS_DO_RESPONSAVEL = ("nome", "cpf", "telefone", "parentesco")

_COLUNAS_DO_RESPONSAVEL = tuple(f"responsavel_{campo}" for campo in CAMPOS_DO_RESPONSAVEL)

#: The columns of `alunos` that a person fills in.
COLUNAS = tuple(
    coluna for campo in CAMPOS for coluna in (_COLUNAS_DO_RESPONSAVEL if campo == "responsavel" else (campo,))
)

#: One of these has to be known, so that somebody can be called back.
CONTATOS = ("telefone", "celular", "email", "responsavel_telefone")


def achatar(campos: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as the API names them -> columns. `responsavel: null` clears its four columns."""
    colunas = {campo: valor for campo, valor in campos.items() if campo != "responsavel"}
    if "responsavel" in campos:
        responsavel = campos["responsavel"]
        partes = dict.fromkeys(CAMPOS_DO_RESPONSAVEL) if responsavel is None else responsavel
        colunas.update({f"responsavel_{parte}": valor for parte, valor in partes.items()})
    return colunas


def aninhar(colunas: Mapping[str, Any]) -> dict[str, Any]:
    """Columns -> the same fields as the API names them; only those that are given."""
    campos: dict[str, Any] = {}
    for campo in CAMPOS:
        if campo == "responsavel":
            partes = dict(zip(CAMPOS_DO_RESPONSAVEL, _COLUNAS_DO_RESPONSAVEL, strict=True))
            dados = {parte: colunas[coluna] for parte, coluna in partes.items() if coluna in colunas}
            if dados:
                campos[campo] = dados
        elif campo in colunas:
            campos[campo] = colunas[campo]
    return campos


def completo(colunas: Mapping[str, Any]) -> dict[str, Any]:
    """A student with every field, absent ones as null; no guardian is null and not four nulls."""
    campos = aninhar({coluna: colunas.get(coluna) for coluna in COLUNAS})
    if all(valor is None for valor in campos["responsavel"].values()):
        campos["responsavel"] = None
    return campos
