"""One student: all that is known, and where the record is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from academia.alunos.ficha import Ficha, ficha
from academia.alunos.tipos import CADASTRAR
from academia.balcao import mostrar, textos
from academia.balcao.campos import GRUPOS
from academia.balcao.frase import Frase
from academia.balcao.pessoas import nome_de
from academia.balcao.planta import balcao, colunas_ocultas, do_balcao, motor
from academia.gravacoes.estados import ESTADOS
from robusto.identity import protocol_number

if TYPE_CHECKING:
    from robusto.write import Write, WriteState


@dataclass(frozen=True, slots=True)
class ACaminho:
    """A write about this student that PostgreSQL does not have."""

    gravacao: UUID
    o_que: str
    estado: tuple[str, str]
    desde: str
    protocolo: str


@balcao.get("/alunos/<uuid:aluno>")
@do_balcao
def aluno(aluno: UUID) -> ResponseReturnValue:
    """The page of a student."""
    achada = ficha(motor(), aluno)
    if achada is None:
        abort(404)
    linha = achada.linha
    return make_response(
        render_template(
            "balcao/aluno.html",
            aluno=aluno,
            nome=nome_de(linha),
            protocolo=linha["protocolo"],
            grupos=_grupos(linha),
            estado=textos.ESTADOS[str(linha.get("estado", "gravado"))],
            desde=_desde(achada),
            a_caminho=_a_caminho(achada.gravacoes),
            copia=_copia(achada),
            situacao=linha.get("situacao") or "ativo",
        )
    )


def _grupos(linha: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Heading, and label and value of what is filled in."""
    ocultas = colunas_ocultas(linha)
    grupos = []
    for grupo in GRUPOS:
        pares = [
            (campo.rotulo, _como_texto(campo.nome, linha))
            for campo in grupo.campos
            if campo.nome not in ocultas and _como_texto(campo.nome, linha)
        ]
        if pares:
            grupos.append((grupo.titulo, pares))
    return grupos


def _como_texto(coluna: str, linha: Mapping[str, Any]) -> str:
    if coluna == "whatsapp":
        sim = linha.get(coluna)
        return "" if sim is None or not linha.get("celular") else "Sim" if sim else "Não"
    texto = mostrar.valor(coluna, linha.get(coluna))
    return textos.SITUACOES.get(texto, texto) if coluna == "situacao" else texto


def _desde(achada: Ficha) -> str:
    """Since when the record is where it is; empty where nobody here knows."""
    desde: datetime | None = achada.desde
    if achada.gravacoes:
        desde = achada.gravacoes[0][0].accepted_at
    return "" if desde is None else mostrar.momento(desde)


def _a_caminho(gravacoes: Sequence[tuple[Write, WriteState]]) -> list[ACaminho]:
    return [
        ACaminho(
            gravacao.id,
            "Cadastro" if gravacao.kind == CADASTRAR else "Alteração",
            textos.ESTADOS[ESTADOS[estado]],
            mostrar.momento(gravacao.accepted_at),
            protocol_number(gravacao.id),
        )
        for gravacao, estado in gravacoes
    ]


def _copia(achada: Ficha) -> Frase | None:
    if achada.de is None:
        return None
    return textos.da_copia(mostrar.hora(achada.de))
