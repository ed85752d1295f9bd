"""Pages: log in, log out, change the password, take up a form again."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from academia.acesso import formularios, interface, textos
from academia.acesso.aparelho import aparelho_conhecido, lembrar
from academia.acesso.destino import INICIO, destino_local
from academia.acesso.quem import exige_login, usuario_atual
from academia.acesso.respostas import pagina_de_entrada
from academia.acesso.sala import acesso as sala
from academia.acesso.senhas import MINIMO, SenhasOcupadas, o_que_falta
from academia.acesso.tentativas import MuitasTentativas
from academia.acesso.usuarios import Usuario

acesso = Blueprint("acesso", __name__)

_OCUPADO_SEGUNDOS = 5


@acesso.get("/entrar")
def formulario_de_entrada() -> Response:
    """The login form; whoever is logged in goes on."""
    proximo = destino_local(request.args.get("proximo")) or ""
    if usuario_atual() is not None:
        return _ir(proximo or INICIO)
    return make_response(render_template("acesso/entrar.html", proximo=proximo))


@acesso.post("/entrar")
def entrar() -> Response:
    """Log in."""
    login = request.form.get("login", "")
    try:
        usuario = _conferir(login, request.form.get("senha", ""))
    except MuitasTentativas as erro:
        espera = textos.espera(erro.segundos)
        return _de_novo("muitas-tentativas", textos.MUITAS_TENTATIVAS.format(espera=espera), erro.segundos)
    except SenhasOcupadas:
        return _de_novo("muitas-tentativas", textos.OCUPADO, _OCUPADO_SEGUNDOS)
    if usuario is None:
        return _de_novo("nao-autenticado", textos.LOGIN_OU_SENHA)
    interface.entrar(usuario)
    proximo = formularios.retomar(request.form.get(formularios.CAMPO))
    proximo = proximo or destino_local(request.form.get("proximo")) or INICIO
    if usuario.deve_trocar:
        proximo = url_for("acesso.formulario_de_senha", proximo=proximo)
    resposta = _ir(proximo)
    lembrar(resposta, usuario.login)
    return resposta


@acesso.post("/sair")
@exige_login
def sair() -> Response:
    """Log out, here and on the server."""
    interface.sair()
    flash(textos.SAIU)
    return _ir(url_for("acesso.formulario_de_entrada"))


@acesso.get("/senha")
@exige_login
def formulario_de_senha() -> Response:
    """The form for a new password."""
    return _pagina_de_senha(200)


@acesso.post("/senha")
@exige_login
def mudar_senha() -> Response:
    """Change one's own password. Whoever was logged in with the old one is out, but here."""
    usuario = usuario_atual()
    assert usuario is not None
    nova = request.form.get("senha_nova", "")
    try:
        problema = _problema(usuario, nova)
        if problema is not None:
            return _pagina_de_senha(422, problema)
        guardado = formularios.tirar()
        sala().mudar_senha(usuario.login, nova)
    except MuitasTentativas as erro:
        espera = textos.espera(erro.segundos)
        resposta = _pagina_de_senha(429, textos.MUITAS_TENTATIVAS.format(espera=espera))
        resposta.headers["Retry-After"] = str(erro.segundos)
        return resposta
    except SenhasOcupadas:
        return _pagina_de_senha(429, textos.OCUPADO)
    proximo = destino_local(request.form.get("proximo"))
    interface.entrar(usuario)
    formularios.devolver(guardado)
    flash(textos.SENHA_TROCADA)
    return _ir(proximo or INICIO)


@acesso.post("/formulario")
@exige_login
def retomar() -> Response:
    """Back to the page of a form that was refused, with what was typed."""
    return _ir(formularios.retomar(request.form.get(formularios.CAMPO)) or INICIO)


def _conferir(login: str, senha: str) -> Usuario | None:
    return sala().conferir(login, senha, request.remote_addr or "", aparelho_conhecido(login))


def _de_novo(code: str, aviso: str, esperar: int = 0) -> Response:
    """The form again with what was typed but the password; the same for an unknown login."""
    return pagina_de_entrada(
        code,
        aviso,
        login=request.form.get("login", ""),
        proximo=destino_local(request.form.get("proximo")) or "",
        formulario=formularios.do_pedido(),
        esperar=esperar,
    )


def _problema(usuario: Usuario, nova: str) -> str | None:
    """What is wrong with the change, in one sentence. Raises MuitasTentativas, SenhasOcupadas."""
    problema = o_que_falta(nova, usuario.login)
    if problema is not None:
        return problema
    if request.form.get("senha_repetida", nova) != nova:
        return textos.SENHAS_DIFERENTES
    if not usuario.deve_trocar:  # else it was typed a moment ago
        aberta = interface.sessao_atual().aberta
        assert aberta is not None
        atual = request.form.get("senha_atual", "")
        if sala().conferir(usuario.login, atual, "", aberta.resumo.hex()) is None:
            return textos.SENHA_ATUAL_ERRADA
    credencial = sala().usuarios.credencial(usuario.login)
    if credencial is not None and sala().senhas.confere(nova, credencial[1])[0]:
        return textos.SENHA_IGUAL
    return None


def _pagina_de_senha(status: int, aviso: str = "") -> Response:
    proximo = destino_local(request.values.get("proximo")) or ""
    pagina = render_template("acesso/senha.html", aviso=aviso, proximo=proximo, minimo=MINIMO)
    return make_response(pagina, status)


def _ir(destino: str) -> Response:
    return make_response(redirect(destino, 303))
