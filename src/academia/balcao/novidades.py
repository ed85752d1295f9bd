"""What the desk should know now: whether the database is down, and what became of this session's writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from academia.alunos.tipos import CADASTRAR, EDITAR
from academia.balcao import memoria, mostrar, textos
from academia.balcao.frase import Frase
from academia.balcao.gravacao import motivo
from academia.balcao.planta import balcao, do_balcao, fragmento, motor
from robusto.errors import JournalError
from robusto.write import WriteState

if TYPE_CHECKING:
    from robusto import Engine
    from robusto.journal.entry import Entry


@dataclass(frozen=True, slots=True)
class Novidades:
    """`recusados`: sentence, write and student of each that was refused later."""

    avisos: Sequence[Frase] = ()
    recusados: Sequence[tuple[Frase, UUID, UUID]] = ()
    chegados: Sequence[Frase] = ()
    a_espera: str = ""
    lidas: set[UUID] = field(default_factory=set)
    """Writes of which there is nothing more to say once this was read."""


def novidades(motor: Engine) -> Novidades:
    """From local state alone: it never waits."""
    status = motor.status()
    avisos = []
    if not status.journal_writable:
        avisos.append(textos.FILA_FALHOU)
    elif status.breaker == "open":
        avisos.append(textos.BANCO_FORA_DO_AR)
    try:
        achadas = [(motor.backlog.find(g), aluno) for g, aluno in memoria.guardados()]
    except JournalError:
        return Novidades(avisos=avisos)
    entradas = [(entrada, aluno) for entrada, aluno in achadas if entrada is not None]
    return Novidades(
        avisos=avisos,
        recusados=[
            _recusado(entrada, aluno) for entrada, aluno in entradas if _em(entrada, WriteState.QUARANTINED)
        ],
        chegados=_chegados([entrada for entrada, _ in entradas if _em(entrada, WriteState.STORED)]),
        a_espera=_a_espera(sum(_em(entrada, WriteState.PENDING) for entrada, _ in entradas)),
        lidas={entrada.id for entrada, _ in entradas if not _em(entrada, WriteState.PENDING)},
    )


def _em(entrada: Entry, estado: WriteState) -> bool:
    return entrada.state.as_write_state is estado


def _recusado(entrada: Entry, aluno: UUID) -> tuple[Frase, UUID, UUID]:
    frase = textos.quarentena(mostrar.hora(entrada.accepted_at), motivo(entrada.reason))
    return frase, entrada.id, aluno


def _chegados(entradas: Sequence[Entry]) -> list[Frase]:
    frases = []
    for tipo in (CADASTRAR, EDITAR):
        horas = [mostrar.hora(e.accepted_at) for e in entradas if e.kind == tipo]
        if horas:
            frases.append(textos.gravados_depois(horas, edicao=tipo == EDITAR))
    return frases


def _a_espera(n: int) -> str:
    return textos.a_espera(n) if n else ""


@balcao.get("/novidades")
@do_balcao
def ver_novidades() -> ResponseReturnValue:
    """The fragment that the desk asks for every few seconds."""
    return fragmento("balcao/_novidades.html", novidades=novidades(motor()))


@balcao.post("/novidades")
@do_balcao
def novidades_lidas() -> ResponseReturnValue:
    """The person has read them."""
    memoria.esquecer_guardados(novidades(motor()).lidas)
    return redirect(url_for("balcao.inicio"), 303)
