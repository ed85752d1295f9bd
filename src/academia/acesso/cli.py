"""`flask --app academia usuarios …`: works with PostgreSQL down and beside the running app."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import click
from flask.cli import AppGroup

from academia.acesso import textos
from academia.acesso.arquivo import AcessoIlegivel
from academia.acesso.direitos import PAPEIS
from academia.acesso.sala import acesso as sala
from academia.acesso.senhas import SenhasOcupadas, nova_de_uso_unico, o_que_falta
from academia.acesso.usuarios import (
    LoginEmUso,
    LoginInvalido,
    NomeInvalido,
    SemUsuario,
    UltimoAdministrador,
    Usuario,
    normalizar_login,
)

P = ParamSpec("P")

PROBLEMA = 1
RECUSADO = 3

grupo_usuarios = AppGroup("usuarios", help="As pessoas que entram no sistema.")

_em_json = click.option("--json", "em_json", is_flag=True, help="Responde em JSON.")
_senha_stdin = click.option(
    "--senha-stdin",
    is_flag=True,
    help="Lê a senha da entrada padrão; sem isto é feita e mostrada uma senha de uso único.",
)


def _com_saida(comando: Callable[P, None]) -> Callable[P, None]:
    """What goes wrong ends in one line and the exit code of the contract."""

    @wraps(comando)
    def guardado(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            comando(*args, **kwargs)
        except LoginInvalido:
            raise click.BadParameter(textos.LOGIN_INVALIDO, param_hint="LOGIN") from None
        except NomeInvalido:
            raise click.BadParameter(textos.NOME_INVALIDO, param_hint="--nome") from None
        except SemUsuario:
            _terminar(textos.SEM_USUARIO, PROBLEMA)
        except LoginEmUso:
            _terminar(textos.LOGIN_EM_USO, RECUSADO)
        except UltimoAdministrador:
            _terminar(textos.ULTIMO_ADMINISTRADOR, RECUSADO)
        except SenhasOcupadas:
            _terminar(textos.OCUPADO, RECUSADO)
        except AcessoIlegivel as erro:
            _terminar(f"os usuários não podem ser lidos ou gravados ({erro}).", RECUSADO)

    return guardado


@grupo_usuarios.command("criar")
@click.argument("login")
@click.option("--papel", required=True, type=click.Choice(list(PAPEIS)), help="O que a pessoa é aqui.")
@click.option("--nome", default="", help="O nome da pessoa.")
@_senha_stdin
@_em_json
@_com_saida
def criar(login: str, papel: str, nome: str, senha_stdin: bool, em_json: bool) -> None:
    """Cria um usuário."""
    login = normalizar_login(login)
    senha = _senha(login) if senha_stdin else nova_de_uso_unico()
    resumo = sala().senhas.resumir(senha)
    usuario = sala().usuarios.criar(login, papel, resumo, nome=nome, deve_trocar=not senha_stdin)
    _mostrar(usuario, None if senha_stdin else senha, em_json, textos.USUARIO_CRIADO)


@grupo_usuarios.command("listar")
@_em_json
@_com_saida
def listar(em_json: bool) -> None:
    """Mostra todos os usuários."""
    todos = sala().usuarios.todos()
    if em_json:
        click.echo(json.dumps([_em_dados(usuario) for usuario in todos]))
        return
    for usuario in todos:
        situacao = "ativo" if usuario.ativo else "desativado"
        click.echo("  ".join(filter(None, (usuario.login, usuario.papel, situacao, usuario.nome))))


@grupo_usuarios.command("desativar")
@click.argument("login")
@_em_json
@_com_saida
def desativar(login: str, em_json: bool) -> None:
    """Põe um usuário para fora, agora, e não o deixa mais entrar."""
    usuario = sala().usuarios.mudar_situacao(login, ativo=False)
    _mostrar(usuario, None, em_json, textos.USUARIO_DESATIVADO)


@grupo_usuarios.command("senha")
@click.argument("login")
@_senha_stdin
@_em_json
@_com_saida
def senha(login: str, senha_stdin: bool, em_json: bool) -> None:
    """Dá outra senha a um usuário; com a antiga ninguém mais está dentro."""
    if senha_stdin:
        usuario, nova = sala().mudar_senha(login, _senha(normalizar_login(login))), None
    else:
        nova = nova_de_uso_unico()
        usuario = sala().mudar_senha(login, nova, deve_trocar=True)
    _mostrar(usuario, nova, em_json, textos.SENHA_NOVA)


def _senha(login: str) -> str:
    """The first line of the standard input."""
    dada = sys.stdin.readline().rstrip("\r\n")
    problema = o_que_falta(dada, login)
    if problema is not None:
        raise click.BadParameter(problema, param_hint="--senha-stdin")
    return dada


def _mostrar(usuario: Usuario, senha: str | None, em_json: bool, texto: str) -> None:
    if em_json:
        agora = sala().usuarios.credencial(usuario.login)
        dados = _em_dados(usuario if agora is None else agora[0])
        click.echo(json.dumps(dados if senha is None else dados | {"senha": senha}))
        return
    click.echo(texto.format(login=usuario.login))
    if senha is not None:
        click.echo(f"Senha de uso único: {senha}")


def _em_dados(usuario: Usuario) -> dict[str, object]:
    return {
        "login": usuario.login,
        "nome": usuario.nome,
        "papel": usuario.papel,
        "ativo": usuario.ativo,
        "deve_trocar": usuario.deve_trocar,
        "criado_em": usuario.criado_em,
    }


def _terminar(motivo: str, codigo: int) -> NoReturn:
    click.echo(f"Erro: {motivo}", err=True)
    sys.exit(codigo)
