"""The receipt: where a write is now, its number, something to take home, and the way to the next person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import segno
from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from academia.alunos.queries import um
from academia.alunos.sobrepor import Linha
from academia.alunos.tipos import CADASTRAR, EDITAR
from academia.balcao import memoria, mostrar
from academia.balcao.gravacao import frase_de
from academia.balcao.pessoas import nome_de
from academia.balcao.planta import balcao, do_balcao, motor
from robusto import Found
from robusto.errors import DatabaseUnavailable
from robusto.identity import protocol_number
from robusto.write import WriteState


@balcao.get("/recibo/<uuid:gravacao>")
@do_balcao
def recibo(gravacao: UUID) -> ResponseReturnValue:
    """The state as it is now, whenever it is opened."""
    achada = motor().find(gravacao)
    if achada is None or achada.kind not in (CADASTRAR, EDITAR):
        abort(404)
    id_aluno = _aluno(achada)
    linha = _linha(id_aluno)
    protocolo = str(linha["protocolo"]) if linha is not None else protocol_number(gravacao)
    return make_response(
        render_template(
            "balcao/recibo.html",
            frase=frase_de(motor(), achada, protocolo),
            edicao=achada.kind == EDITAR,
            gravacao=gravacao,
            aluno=id_aluno if linha is not None else None,
            nome="" if linha is None else nome_de(linha),
            protocolo=protocolo,
            da_gravacao=protocol_number(gravacao),
            qr=qr(protocolo),
            hora=mostrar.data_e_hora(_quando(achada)),
            papel=memoria.papel_do_recibo(),
            em_quarentena=achada.state is WriteState.QUARANTINED,
        )
    )


@balcao.post("/recibo/<uuid:gravacao>/papel")
@do_balcao
def papel(gravacao: UUID) -> ResponseReturnValue:
    """What this desk prints on; then the receipt again."""
    memoria.escolher_papel(request.form.get("papel", ""))
    aluno = request.form.get("aluno") or None
    return redirect(url_for("balcao.recibo", gravacao=gravacao, aluno=aluno), 303)


def _aluno(achada: Found) -> UUID | None:
    """Derived from a registration; of an edit the address says it."""
    if achada.kind == CADASTRAR:
        return motor().derived_id(achada.id, "aluno")
    try:
        return UUID(request.args.get("aluno", ""))
    except ValueError:
        return None


def _linha(id_aluno: UUID | None) -> Linha | None:
    if id_aluno is None:
        return None
    try:
        return um(motor(), id_aluno)
    except DatabaseUnavailable:
        return None


def _quando(achada: Found) -> datetime:
    return achada.stored_at or achada.accepted_at


def qr(texto: str) -> Markup:
    """The text as a picture, black on white: it has to be read from paper and from a dark screen."""
    codigo = segno.make(texto, micro=False, error="m")
    return Markup(codigo.svg_inline(scale=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True))
