"""The front desk: the search box first, who was found under it, and the way to a new registration."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from academia.acesso import esquecer_formulario, exige_login, formulario_guardado, guardar_formulario
from academia.alunos.writes import nova_chave
from academia.balcao import textos
from academia.balcao.busca import Busca, buscar, campos_de
from academia.balcao.novidades import novidades
from academia.balcao.planta import balcao, do_balcao, e_fragmento, fragmento, motor, usa_balcao


@balcao.get("/")
@exige_login
def inicio() -> ResponseReturnValue:
    """The desk; whoever does not work at it is told so."""
    if not usa_balcao():
        return make_response(render_template("balcao/aviso.html", frase=textos.SEM_BALCAO))
    guardado = formulario_guardado()  # a search that an expired login interrupted
    return _mesa(buscar(motor(), "" if guardado is None else guardado.get("q", "")))


@balcao.post("/buscar")
@do_balcao
def procurar() -> ResponseReturnValue:
    """By POST: a name or a CPF belongs into no address and no history."""
    esquecer_formulario(url_for("balcao.inicio"))  # this search takes the place of one that was kept
    busca = buscar(motor(), request.form.get("q", ""))
    return fragmento("balcao/_achados.html", busca=busca) if e_fragmento() else _mesa(busca)


@balcao.get("/buscar")
@do_balcao
def procurar_de_novo() -> ResponseReturnValue:
    """Whoever comes back to a search by its address."""
    return redirect(url_for("balcao.inicio"), 303)


@balcao.get("/alunos/novo")
@do_balcao
def novo() -> ResponseReturnValue:
    """An empty form with a key of its own."""
    return redirect(url_for("balcao.cadastro", chave=nova_chave()), 303)


@balcao.post("/alunos/novo")
@do_balcao
def novo_com_o_que_foi_procurado() -> ResponseReturnValue:
    """The same, with what was typed into the search box."""
    endereco = url_for("balcao.cadastro", chave=nova_chave())
    if campos := campos_de(request.form.get("q", "")):
        guardar_formulario(endereco, [*campos.items(), ("rascunho", "1")])
    return redirect(endereco, 303)


def _mesa(busca: Busca) -> ResponseReturnValue:
    return make_response(render_template("balcao/inicio.html", busca=busca, novidades=novidades(motor())))
