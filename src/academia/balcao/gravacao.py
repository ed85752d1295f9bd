"""Where a write is now, as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from academia.alunos.tipos import EDITAR, TIPOS
from academia.balcao import mostrar, textos
from academia.balcao.frase import Frase
from robusto.flask import texts
from robusto.write import WriteState

if TYPE_CHECKING:
    from robusto import Engine, Found


def frase_de(motor: Engine, achada: Found, protocolo: str) -> Frase:
    """`protocolo`: of the registration. Raises JournalError."""
    edicao = achada.kind == EDITAR
    match achada.state:
        case WriteState.STORED:
            return textos.gravado(protocolo, edicao=edicao)
        case WriteState.QUARANTINED:
            return textos.quarentena(mostrar.hora(achada.accepted_at), motivo(achada.reason))
        case WriteState.DISCARDED:
            return textos.DESCARTADO
        case WriteState.PENDING:
            if espera_correcao(motor, achada.id):
                return textos.AGUARDANDO_A_VEZ
            fora_do_ar = achada.reason == "unavailable" or not motor.status().database_connected
            return textos.pendente(edicao=edicao, fora_do_ar=fora_do_ar)


def motivo(codigo: str) -> str:
    """Why PostgreSQL refused, in words that fit into a sentence."""
    if codigo in textos.MOTIVOS:
        return textos.MOTIVOS[codigo]
    palavras = texts.reason(codigo)
    return palavras[:1].lower() + palavras[1:]


def espera_correcao(motor: Engine, gravacao: UUID) -> bool:
    """Whether a write waits behind one that a person has to correct, be it behind others that wait too."""
    parados: set[bytes] = set()
    for outra, estado in motor.unfinished(TIPOS):
        atras = not parados.isdisjoint(outra.waits_for)
        if outra.id == gravacao:
            return atras
        if atras or estado is WriteState.QUARANTINED:
            parados.update(outra.ordering)
    return False
