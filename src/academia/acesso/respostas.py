"""What is answered instead: a page for a person, `application/problem+json` for a program."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, url_for

from academia.acesso import formularios, textos
from academia.acesso.destino import destino_local, esta_pagina
from academia.acesso.interface import sessao_atual
from academia.api.problemas import PROBLEMAS, e_para_pessoa, resposta_de_problema

_SEM_EFEITO = ("GET", "HEAD", "OPTIONS")


def sem_efeito() -> bool:
    """Whether the method changes nothing."""
    return request.method in _SEM_EFEITO


def nao_entrou() -> Response:
    """To the login and back; what was posted is not redirected, but kept on the page of the login."""
    if sem_efeito():
        return _como_303(url_for("acesso.formulario_de_entrada", proximo=esta_pagina()))
    if not e_para_pessoa():
        return resposta_de_problema("nao-autenticado")
    aviso = textos.SESSAO_VENCIDA if sessao_atual().vencida else textos.ENTRE_PRIMEIRO
    return pagina_de_entrada("nao-autenticado", aviso, formulario=formularios.do_pedido())


def pagina_de_entrada(
    code: str, aviso: str, *, login: str = "", proximo: str = "", formulario: str = "", esperar: int = 0
) -> Response:
    """The login form again, with a sentence and all that was typed but the password."""
    if e_para_pessoa():
        pagina = render_template(
            "acesso/entrar.html", aviso=aviso, login=login, proximo=proximo, formulario=formulario
        )
        resposta = make_response(pagina, PROBLEMAS[code][0])
    else:
        resposta = resposta_de_problema(code, detail=aviso)
    if esperar:
        resposta.headers["Retry-After"] = str(esperar)
    return resposta


def proibido(motivo: str = textos.SEM_PERMISSAO) -> Response:
    """403."""
    if e_para_pessoa():
        return make_response(render_template("acesso/recusado.html", motivo=motivo), 403)
    return resposta_de_problema("proibido", detail=motivo)


def formulario_recusado() -> Response:
    """A form whose page is out of date: nothing was done, and one click brings back what was typed."""
    if sessao_atual().aberta is None:  # the login form itself
        return pagina_de_entrada(
            "proibido",
            textos.PAGINA_VENCIDA,
            login=request.form.get("login", ""),
            proximo=destino_local(request.form.get("proximo")) or "",
            formulario=formularios.do_pedido(),
        )
    if e_para_pessoa():
        pagina = render_template("acesso/retomar.html", formulario=formularios.do_pedido())
        return make_response(pagina, 403)
    return resposta_de_problema("proibido", detail=textos.PAGINA_VENCIDA)


def _como_303(destino: str) -> Response:
    return make_response(redirect(destino, 303))
