"""The values that a caller saw before a change.

They are compared, never stored: a value is brought into its stored form where it can be, and taken as
it is where it cannot (data of the earlier system need not be valid), so that a value that was really
read here always compares equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool

from academia.alunos import valores
from academia.alunos.campos import achatar

_ESTRITO = ConfigDict(extra="forbid")


class ResponsavelVisto(BaseModel):
    """A guardian as seen."""

    model_config = _ESTRITO
    nome: str | None = None
    cpf: str | None = None
    telefone: str | None = None
    parentesco: str | None = None


class AlunoVisto(BaseModel):
    """The fields of a student as they were seen before the change; only those that are to be compared."""

    model_config = _ESTRITO
    nome: str | None = None
    nome_social: str | None = None
    cpf: str | None = None
    rg: str | None = None
    data_nascimento: str | None = None
    sexo: str | None = None
    estado_civil: str | None = None
    telefone: str | None = None
    celular: str | None = None
    whatsapp: StrictBool | None = None
    email: str | None = None
    cep: str | None = None
    endereco: str | None = None
    bairro: str | None = None
    cidade: str | None = None
    uf: str | None = None
    titulo_eleitor: str | None = None
    zona: str | None = None
    secao: str | None = None
    municipio: str | None = None
    responsavel: ResponsavelVisto | None = None
    atividade: str | None = None
    turma: str | None = None
    indicacao: str | None = None
    observacoes: str | None = None
    situacao: str | None = None

    def colunas(self) -> dict[str, Any]:
        """The columns that were seen, with the values that the database should still hold."""
        vistas = achatar(self.model_dump(exclude_unset=True))
        return {coluna: _como_guardado(coluna, valor) for coluna, valor in vistas.items()}


_LEITORES: Mapping[str, Callable[[str], str]] = {
    "cpf": valores.cpf,
    "responsavel_cpf": valores.cpf,
    "telefone": valores.telefone,
    "celular": valores.telefone,
    "responsavel_telefone": valores.telefone,
    "email": valores.email,
    "cep": valores.cep,
    "uf": valores.uf,
    "data_nascimento": valores.nascimento,
}


def _como_guardado(coluna: str, valor: Any) -> Any:
    if not isinstance(valor, str):
        return valor
    if not valor.strip():
        return None
    try:
        return _LEITORES[coluna](valor) if coluna in _LEITORES else valor
    except ValueError:
        return valor
