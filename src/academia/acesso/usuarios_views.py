"""/usuarios: the page of the administrators."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from academia.acesso import formularios, textos
from academia.acesso.direitos import PAPEIS
from academia.acesso.quem import exige, usuario_atual
from academia.acesso.sala import acesso as sala
from academia.acesso.senhas import SenhasOcupadas, nova_de_uso_unico
from academia.acesso.usuarios import (
    LoginEmUso,
    LoginInvalido,
    NomeInvalido,
    PapelDesconhecido,
    SemUsuario,
    UltimoAdministrador,
)

usuarios = Blueprint("usuarios", __name__, url_prefix="/usuarios")

_RECUSAS: dict[type[Exception], tuple[int, str]] = {
    LoginInvalido: (422, textos.LOGIN_INVALIDO),
    NomeInvalido: (422, textos.NOME_INVALIDO),
    PapelDesconhecido: (422, textos.PAPEL_DESCONHECIDO),
    LoginEmUso: (409, textos.LOGIN_EM_USO),
    UltimoAdministrador: (409, textos.ULTIMO_ADMINISTRADOR),
    SemUsuario: (404, textos.SEM_USUARIO),
    SenhasOcupadas: (429, textos.OCUPADO),
}


@usuarios.get("")
@exige("administrar")
def listar() -> Response:
    """Everybody, and the form for a new one."""
    return _pagina()


@usuarios.post("")
@exige("administrar")
def criar() -> Response:
    """A new user with a one-time password, which is shown once."""
    senha = nova_de_uso_unico()
    try:
        usuario = sala().usuarios.criar(
            request.form.get("login", ""),
            request.form.get("papel", ""),
            sala().senhas.resumir(senha),
            nome=request.form.get("nome", ""),
            deve_trocar=True,
        )
    except tuple(_RECUSAS) as erro:
        return _recusa(erro)
    formularios.esquecer_formulario()
    return _pagina(novo={"titulo": textos.USUARIO_CRIADO.format(login=usuario.login), "senha": senha})


@usuarios.post("/papel")
@exige("administrar")
def mudar_papel() -> Response:
    """Another papel, from now on."""
    papel = request.form.get("papel", "")
    try:
        usuario = sala().usuarios.mudar_papel(request.form.get("login", ""), papel)
    except tuple(_RECUSAS) as erro:
        return _recusa(erro)
    return _feito(textos.PAPEL_MUDADO.format(login=usuario.login, papel=textos.PAPEIS[papel]))


@usuarios.post("/situacao")
@exige("administrar")
def mudar_situacao() -> Response:
    """Disabled: out at once. Enabled: may log in again."""
    ativo = request.form.get("ativo") == "sim"
    try:
        usuario = sala().usuarios.mudar_situacao(request.form.get("login", ""), ativo=ativo)
    except tuple(_RECUSAS) as erro:
        return _recusa(erro)
    texto = textos.USUARIO_ATIVADO if ativo else textos.USUARIO_DESATIVADO
    return _feito(texto.format(login=usuario.login))


@usuarios.post("/senha")
@exige("administrar")
def nova_senha() -> Response:
    """A one-time password, which is shown once; with the old one nobody is logged in any more."""
    login = request.form.get("login", "")
    eu = usuario_atual()
    if eu is not None and eu.login == login:
        return _pagina(409, aviso=textos.A_PROPRIA_SENHA)
    try:
        senha = sala().senha_de_uso_unico(login)
    except tuple(_RECUSAS) as erro:
        return _recusa(erro)
    return _pagina(novo={"titulo": textos.SENHA_NOVA.format(login=login), "senha": senha})


def _pagina(status: int = 200, *, aviso: str = "", novo: dict[str, str] | None = None) -> Response:
    # What was typed comes back: after a refusal here, or after a login that had expired.
    criando = request.method == "POST" and request.endpoint == "usuarios.criar" and novo is None
    digitado: Mapping[str, str] = request.form if criando else formularios.formulario_guardado() or {}
    pagina = render_template(
        "acesso/usuarios.html",
        usuarios=sala().usuarios.todos(),
        papeis={papel: textos.PAPEIS[papel] for papel in PAPEIS},
        digitado=digitado,
        aviso=aviso,
        novo=novo,
    )
    return make_response(pagina, status)


def _recusa(erro: Exception) -> Response:
    status, texto = _RECUSAS[type(erro)]
    return _pagina(status, aviso=texto)


def _feito(texto: str) -> Response:
    flash(texto)
    return make_response(redirect(url_for("usuarios.listar"), 303))
