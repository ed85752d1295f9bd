"""`flask --app academia tokens …`: works with PostgreSQL down and beside the running app."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import click
from flask.cli import AppGroup

from academia.api.sala import sala
from academia.tokens import NomeEmUso, NomeInvalido, TokensIlegiveis

PROBLEMA = 1
RECUSADO = 3

grupo_tokens = AppGroup("tokens", help="Tokens de acesso à API.")

_em_json = click.option("--json", "em_json", is_flag=True, help="Responde em JSON.")


@grupo_tokens.command("criar")
@click.option("--nome", required=True, help="Quem usará o token; aparece nos registros.")
@_em_json
def criar(nome: str, em_json: bool) -> None:
    """Cria um token e mostra-o uma única vez."""
    try:
        token = sala().tokens.criar(nome)
    except NomeInvalido:
        raise click.BadParameter("use de 1 a 60 caracteres imprimíveis.", param_hint="--nome") from None
    except NomeEmUso:
        _recusar(f"já existe um token com o nome {nome!r}; revogue-o antes ou use outro nome.")
    except TokensIlegiveis as erro:
        _recusar(f"os tokens não podem ser lidos ou gravados ({erro}).")
    click.echo(json.dumps({"nome": nome, "token": token}) if em_json else token)


@grupo_tokens.command("revogar")
@click.argument("nome")
@_em_json
def revogar(nome: str, em_json: bool) -> None:
    """Recusa, a partir de agora, o token deste nome."""
    try:
        revogado = sala().tokens.revogar(nome)
    except TokensIlegiveis as erro:
        _recusar(f"os tokens não podem ser lidos ou gravados ({erro}).")
    if em_json:
        click.echo(json.dumps({"nome": nome, "revogado": revogado}))
    elif revogado:
        click.echo(f"Token {nome!r} revogado.")
    else:
        click.echo(f"Nenhum token válido com o nome {nome!r}.", err=True)
    if not revogado:
        sys.exit(PROBLEMA)


def _recusar(motivo: str) -> NoReturn:
    click.echo(f"Erro: {motivo}", err=True)
    sys.exit(RECUSADO)
