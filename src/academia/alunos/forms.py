"""The fields that a caller may send about a student, and what each of them becomes.

The models are also what the OpenAPI description is made from.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from academia.alunos import valores
from academia.alunos.campos import achatar
from academia.alunos.visto import AlunoVisto

_LINHA = StringConstraints(max_length=200)


def _vazio_e_ausente(valor: Any) -> Any:
    """An empty field of a form says the same as one that is not there."""
    return None if isinstance(valor, str) and not valor.strip() else valor


_VAZIO = BeforeValidator(_vazio_e_ausente)
Nome = Annotated[str, _LINHA, AfterValidator(valores.nome)]
Linha = Annotated[Annotated[str, _LINHA, AfterValidator(valores.linha)] | None, _VAZIO]
TextoLivre = Annotated[
    Annotated[str, StringConstraints(max_length=4000), AfterValidator(valores.texto_livre)] | None, _VAZIO
]
Cpf = Annotated[Annotated[str, _LINHA, AfterValidator(valores.cpf)] | None, _VAZIO]
Telefone = Annotated[Annotated[str, _LINHA, AfterValidator(valores.telefone)] | None, _VAZIO]
Email = Annotated[Annotated[str, _LINHA, AfterValidator(valores.email)] | None, _VAZIO]
Cep = Annotated[Annotated[str, _LINHA, AfterValidator(valores.cep)] | None, _VAZIO]
Uf = Annotated[Annotated[str, _LINHA, AfterValidator(valores.uf)] | None, _VAZIO]
Nascimento = Annotated[Annotated[str, _LINHA, AfterValidator(valores.nascimento)] | None, _VAZIO]
Situacao = Literal["ativo", "inativo", "suspenso", "transferido"]

_ESTRITO = ConfigDict(extra="forbid")


class Responsavel(BaseModel):
    """A guardian."""

    model_config = _ESTRITO
    nome: Linha = None
    cpf: Cpf = Field(None, description="11 dígitos, com ou sem pontuação")
    telefone: Telefone = None
    parentesco: Linha = None


class _Opcionais(BaseModel):
    """Every field that may be absent."""

    model_config = _ESTRITO
    nome_social: Linha = None
    cpf: Cpf = Field(None, description="11 dígitos, com ou sem pontuação")
    rg: Linha = None
    data_nascimento: Nascimento = Field(None, description="AAAA-MM-DD ou dd/mm/aaaa", examples=["1990-03-02"])
    sexo: Linha = None
    estado_civil: Linha = None
    telefone: Telefone = Field(None, description="com DDD; devolvido em E.164", examples=["(11) 98765-4321"])
    celular: Telefone = None
    whatsapp: StrictBool | None = None
    email: Email = None
    cep: Cep = Field(None, description="8 dígitos, com ou sem hífen")
    endereco: Linha = None
    bairro: Linha = None
    cidade: Linha = None
    uf: Uf = Field(None, description="duas letras")
    titulo_eleitor: Linha = None
    zona: Linha = None
    secao: Linha = None
    municipio: Linha = None
    responsavel: Responsavel | None = None
    atividade: Linha = None
    turma: Linha = None
    indicacao: Linha = None
    observacoes: TextoLivre = None


class AlunoNovo(_Opcionais):
    """A registration: the name and one contact (telefone, celular, email or the guardian's telefone)."""

    nome: Nome
    situacao: Situacao = "ativo"

    def colunas(self) -> dict[str, Any]:
        """The columns that have a value."""
        return {c: v for c, v in achatar(self.model_dump()).items() if v is not None}


def _sem_default(esquema: dict[str, Any]) -> None:
    esquema.pop("default", None)


class AlunoMudado(_Opcionais):
    """The changed fields of a student; null clears a field. `visto`: the values that were seen."""

    nome: Nome = Field("", json_schema_extra=_sem_default)
    situacao: Situacao = Field("ativo", json_schema_extra=_sem_default)
    visto: AlunoVisto | None = None

    def mudancas(self) -> dict[str, Any]:
        """The columns that were sent, with what they become."""
        return achatar(self.model_dump(exclude_unset=True, exclude={"visto"}))
