"""The values that a caller saw before a change.

They are compared, never stored: a value is brought into its stored form where it can be, and taken as
it is where it cannot (data of the earlier system need not be valid), so that a value that was really
read here always compares equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool

from academia.alunos import valores
from academia.alunos.campos import achatar

_ESTRITO = ConfigDict(extra="forbid")


def _guardavel(texto: str) -> str:
    """What can never have been read here is not compared either."""
    if not valores.guardavel(texto):
        raise ValueError("Contém um caractere inválido.")
    return texto


Texto = Annotated[str, AfterValidator(_guardavel)]


class ResponsavelVisto(BaseModel):
    """A guardian as seen."""

    model_config = _ESTRITO
    nome: Texto | None = None
    cpf: Texto | None = None
    telefone: Texto | None = None
    parentesco: Texto | None = None


class AlunoVisto(BaseModel):
    """The fields of a student as they were seen before the change; only those that are to be compared."""

    model_config = _ESTRITO
    nome: Texto | None = None
    nome_social: Texto | None = None
    cpf: Texto | None = None
    rg: Texto | None = None
    data_nascimento: Texto | None = None
    sexo: Texto | None = None
    estado_civil: Texto | None = None
    telefone: Texto | None = None
    celular: Texto | None = None
    whatsapp: StrictBool | None = None
    email: Texto | None = None
    cep: Texto | None = None
    endereco: Texto | None = None
    bairro: Texto | None = None
    cidade: Texto | None = None
    uf: Texto | None = None
    titulo_eleitor: Texto | None = None
    zona: Texto | None = None
    secao: Texto | None = None
    municipio: Texto | None = None
    responsavel: ResponsavelVisto | None = None
    atividade: Texto | None = None
    turma: Texto | None = None
    indicacao: Texto | None = None
    observacoes: Texto | None = None
    situacao: Texto | None = None

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
