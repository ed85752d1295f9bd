"""The bodies of the answers of /api, as models.

The description is made from them, and the tests hold the answers to them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from academia.alunos.visto import AlunoVisto

_ESTRITO = ConfigDict(extra="forbid")
_UUID: dict[str, Any] = {"format": "uuid"}

Estado = Literal["gravado", "pendente", "quarentena", "descartado"]


def _campos_guardados() -> dict[str, Any]:
    """Every field of a student is there; all but two may be null."""
    campos: dict[str, Any] = {nome: (info.annotation, ...) for nome, info in AlunoVisto.model_fields.items()}
    return campos | {"nome": (str, ...), "situacao": (str, ...)}


Aluno = create_model(
    "Aluno",
    __config__=_ESTRITO,
    __doc__="Um aluno, e onde está o que se sabe dele.",
    id=(str, Field(json_schema_extra=_UUID)),
    protocolo=(str, ...),
    **_campos_guardados(),
    estado=(Estado, ...),
)


class ListaDeAlunos(BaseModel):
    """Uma página de alunos; os de nome igual ao procurado vêm primeiro."""

    model_config = _ESTRITO
    alunos: list[Aluno]  # type: ignore[valid-type]
    proximo: str | None = Field(description="para `depois`; null na última página")
    fonte: Literal["banco", "copia"]
    idade_segundos: float | None = Field(description="idade da cópia; 0 para o banco, null sem cópia")


class Aceito(BaseModel):
    """Uma gravação aceita."""

    model_config = _ESTRITO
    id: str = Field(description="do aluno", json_schema_extra=_UUID)
    protocolo: str
    gravacao: str = Field(json_schema_extra=_UUID)
    estado: Estado
    duplicado: bool = Field(description="a mesma chave com o mesmo corpo já tinha sido aceita")


class Gravacao(BaseModel):
    """Onde está uma gravação."""

    model_config = _ESTRITO
    gravacao: str = Field(json_schema_extra=_UUID)
    tipo: str
    estado: Estado
    aceito_em: AwareDatetime
    gravado_em: AwareDatetime | None
    motivo: str | None


class Problema(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    campos: dict[str, Any] | None = Field(
        None, description="`dados-invalidos`: as mensagens; `conflito`: os valores atuais"
    )
    chave: str | None = Field(None, description="a chave com que enviar de novo")


MODELOS: tuple[type[BaseModel], ...] = (Aluno, ListaDeAlunos, Aceito, Gravacao, Problema)
