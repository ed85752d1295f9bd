"""/api/gravacoes: where a write is, by its id or its protocol number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint

from academia.api.problemas import Problema
from academia.api.sala import sala
from academia.gravacoes.estados import ESTADOS
from robusto.identity import id_range

gravacoes = Blueprint("gravacoes", __name__, url_prefix="/api/gravacoes")

_TAMANHO_DE_UM_UUID = 36


@gravacoes.get("/<referencia>")
def ver_gravacao(referencia: str) -> dict[str, Any]:
    """The state of a write as it is now."""
    try:
        menor, maior = _ids(referencia)
    except ValueError:
        raise Problema("nao-encontrado") from None
    achada = sala().motor.find(menor, maior)
    if achada is None:
        raise Problema("nao-encontrado")
    return {
        "gravacao": str(achada.id),
        "tipo": achada.kind,
        "estado": ESTADOS[achada.state],
        "aceito_em": achada.accepted_at.isoformat(),
        "gravado_em": achada.stored_at and achada.stored_at.isoformat(),
        "motivo": achada.reason or None,
    }


def _ids(referencia: str) -> tuple[UUID, UUID]:
    if len(referencia) == _TAMANHO_DE_UM_UUID:
        gravacao = UUID(referencia)
        return gravacao, gravacao
    return id_range(referencia)
