"""Editing: the fields that were changed, with the values that were seen; a conflict shows both and asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from academia.acesso import esquecer_formulario, formulario_guardado, guardar_formulario
from academia.alunos.campos import COLUNAS
from academia.alunos.queries import um
from academia.alunos.writes import nova_chave
from academia.balcao import formulario, mostrar, textos
from academia.balcao.cadastro import aceitar
from academia.balcao.campos import ROTULOS
from academia.balcao.envio import NadaMudou, enviar_edicao
from academia.balcao.formulario import Formulario
from academia.balcao.frase import Frase
from academia.balcao.planta import balcao, colunas_ocultas, da_chave, do_balcao, motor, remetente
from academia.balcao.recusas import Recusa, recusa_de
from robusto.errors import DatabaseUnavailable, JournalError


@dataclass(frozen=True, slots=True)
class Conflito:
    """One field that somebody changed meanwhile."""

    coluna: str
    rotulo: str
    agora: str
    escrito: str


@balcao.get("/alunos/<uuid:aluno>/editar")
@do_balcao
def editar(aluno: UUID) -> ResponseReturnValue:
    """The form with what is stored, or with what was typed before an expired login or F5."""
    if "de_novo" in request.args:
        esquecer_formulario()
        return redirect(url_for("balcao.editar", aluno=aluno), 303)
    guardado = formulario_guardado()
    if guardado is not None and da_chave(guardado.get("chave", "")):
        visto = formulario.ler_visto(guardado.get("visto", ""))
        digitado = formulario.de_guardado(visto) | formulario.ler(guardado)
        form = Formulario(guardado["chave"], digitado, visto=guardado["visto"], sem=_sem(visto))
        return _pagina(aluno, form, textos.DE_VOLTA)
    linha = um(motor(), aluno)
    if linha is None:
        abort(404)
    sem = colunas_ocultas(linha)
    visto_agora = formulario.escrever_visto(linha, sem)
    return _pagina(aluno, Formulario(nova_chave(), formulario.de_guardado(linha), visto=visto_agora, sem=sem))


@balcao.post("/alunos/<uuid:aluno>/editar")
@do_balcao
def mudar(aluno: UUID) -> ResponseReturnValue:
    """Send the changed fields. Accepted: on to the receipt; else the same form again, with the same key."""
    chave = request.form.get("chave", "")
    if not da_chave(chave):
        abort(404)
    visto = formulario.ler_visto(request.form.get("visto", ""))
    digitado = formulario.ler(request.form)
    mantidas = [coluna for coluna in visto if _fica_o_atual(coluna)]
    digitado |= {coluna: mostrar.valor(coluna, visto[coluna]) for coluna in mantidas}
    form = Formulario(chave, digitado, visto=request.form.get("visto", ""), sem=_sem(visto))
    try:
        gravacao = enviar_edicao(motor(), aluno, digitado, visto, remetente(chave))
    except NadaMudou:
        esquecer_formulario()
        flash(textos.FICOU_O_ATUAL if mantidas else textos.NADA_MUDOU)
        return redirect(url_for("balcao.aluno", aluno=aluno), 303)
    except Exception as erro:
        return _recusado(aluno, form, visto, recusa_de(erro))
    return aceitar(chave, gravacao, aluno)


@balcao.post("/alunos/<uuid:aluno>/editar/rascunho")
@do_balcao
def rascunho_da_edicao(aluno: UUID) -> ResponseReturnValue:
    """What is typed so far, kept sealed with the session."""
    campos = [(nome, texto) for nome, texto in request.form.items() if nome in _DO_RASCUNHO]
    guardar_formulario(url_for("balcao.editar", aluno=aluno), [*campos, ("rascunho", "1")])
    return "", 204


def _recusado(aluno: UUID, form: Formulario, visto: Mapping[str, Any], recusa: Recusa) -> ResponseReturnValue:
    """The form again. What is there now counts as seen: the next sending is a decision."""
    ocultas = _ocultas(aluno, recusa)
    agora = {**visto, **{c: v for c, v in recusa.conflitos.items() if c in visto and c not in ocultas}}
    conflitos = [
        Conflito(coluna, ROTULOS[coluna], mostrar.valor(coluna, valor), form.valores.get(coluna, ""))
        for coluna, valor in recusa.conflitos.items()
        if coluna in visto and coluna not in ocultas
    ]
    escrito = formulario.escrever_visto(agora, form.sem) if conflitos else form.visto
    de_novo = Formulario(form.chave, form.valores, recusa.erros, visto=escrito, sem=form.sem)
    return _pagina(aluno, de_novo, recusa.frase, recusa.status, conflitos=conflitos, no_papel=recusa.no_papel)


def _pagina(
    aluno: UUID, form: Formulario, frase: Frase | None = None, status: int = 200, **mais: object
) -> ResponseReturnValue:
    pagina = render_template(
        "balcao/edicao.html",
        form=form,
        frase=frase,
        aluno=aluno,
        acao=url_for("balcao.mudar", aluno=aluno),
        **mais,
    )
    return make_response(pagina, status)


def _ocultas(aluno: UUID, recusa: Recusa) -> tuple[str, ...]:
    """A conflict shows no civil name to whom the page did not show it, whatever was posted as seen."""
    if "nome" not in recusa.conflitos:
        return ()
    try:
        return colunas_ocultas(um(motor(), aluno))
    except (DatabaseUnavailable, JournalError):
        return ("nome",)


def _fica_o_atual(coluna: str) -> bool:
    """By the button of a single conflict, or by the choice that stands at each of several."""
    return request.form.get("manter") == coluna or request.form.get(f"escolha_{coluna}") == "manter"


def _sem(visto: Mapping[str, Any]) -> tuple[str, ...]:
    """A field that was not on the form that was seen is not on it now."""
    return tuple(coluna for coluna in COLUNAS if coluna not in visto)


_DO_RASCUNHO = {*COLUNAS, "chave", "visto"}
