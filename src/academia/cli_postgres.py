"""`flask --app academia postgres …`: the embedded server by command, also while the app runs."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import click

from academia.embedded import Cluster, EmbeddedError, Server
from academia.settings import Settings, SettingsError

NOT_RUNNING = 3
REFUSED = 3


@click.group("postgres")
def grupo_postgres() -> None:
    """O servidor PostgreSQL embutido (usado quando DATABASE_URL não está definida)."""


_as_json = click.option("--json", "as_json", is_flag=True, help="Responde em JSON.")


@grupo_postgres.command("start")
@_as_json
def start(as_json: bool) -> None:
    """Inicia o servidor; se já estiver em execução, nada muda."""
    try:
        server = _cluster().start()
    except (EmbeddedError, OSError) as error:
        _refuse(str(error))
    _answer(server, as_json, stopped_by_command=False)


@grupo_postgres.command("stop")
@_as_json
def stop(as_json: bool) -> None:
    """Para o servidor; ele fica parado até `postgres start` ou a próxima partida da aplicação."""
    cluster = _cluster()
    try:
        cluster.stop(by_command=True)
    except (EmbeddedError, OSError) as error:
        _refuse(str(error))
    _answer(None, as_json, stopped_by_command=True)


@grupo_postgres.command("status")
@_as_json
def status(as_json: bool) -> None:
    """Mostra se o servidor está em execução (saída 0) ou parado (saída 3)."""
    cluster = _cluster()
    server = cluster.status()
    _answer(server, as_json, stopped_by_command=cluster.stopped_by_command)
    if server is None:
        sys.exit(NOT_RUNNING)


def _cluster() -> Cluster:
    try:
        settings = Settings.load()
    except SettingsError as error:
        _refuse(str(error))
    if not settings.embedded:
        _refuse("DATABASE_URL está definida: o servidor embutido não é usado. Remova-a para usá-lo.")
    return Cluster(settings.var, settings.postgres_password)


def _answer(server: Server | None, as_json: bool, *, stopped_by_command: bool) -> None:
    if as_json:
        state = {
            "running": server is not None,
            "ready": server is not None and server.ready,
            "pid": server and server.pid,
            "port": server and server.port,
            "stopped_by_command": stopped_by_command,
        }
        click.echo(json.dumps(state))
    elif server is not None:
        click.echo(f"PostgreSQL embutido em execução: processo {server.pid}, porta {server.port}.")
    else:
        why = " por comando" if stopped_by_command else ""
        click.echo(f"PostgreSQL embutido parado{why}.")


def _refuse(reason: str) -> NoReturn:
    click.echo(f"Erro: {reason}", err=True)
    sys.exit(REFUSED)
