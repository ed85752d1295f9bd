"""`flask --app academia importar …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import AppGroup

from academia.api.sala import sala
from academia.importacao.execucao import Destino, executar
from academia.importacao.importador import Importador, Simulador
from academia.importacao.leitor import Item
from academia.importacao.relatorio import Relatorio, Resultado
from robusto import Engine
from robusto.errors import DatabaseUnavailable, JournalError

PROBLEMA = 1
NAO_FOI_POSSIVEL = 3

grupo_importar = AppGroup("importar", help="Importa arquivos do sistema anterior.")


@grupo_importar.command("legado")
@click.argument("arquivo", type=click.Path(path_type=Path))
@click.option("--simular", is_flag=True, help="Mostra o que seria feito e não grava nada.")
@click.option("--json", "em_json", is_flag=True, help="Responde em JSON.")
def legado(arquivo: Path, simular: bool, em_json: bool) -> None:
    """Importa cadastros_fallback.json ou dados_alunos.json; o arquivo não é mudado.

    Repetir a importação não muda nada. Saída 1 quando algum registro foi recusado.
    """
    try:
        with _aberto(sala().motor) as motor:
            destino: Destino = Simulador(motor) if simular else Importador(motor)
            relatorio = executar(arquivo, destino, lambda itens: _com_andamento(itens, em_json))
    except OSError as erro:
        _desistir(f"{arquivo}: {erro.strerror}")
    except DatabaseUnavailable:
        _desistir("o banco de dados está fora do ar; a simulação precisa dele.")
    except JournalError as erro:
        _desistir(f"a fila local não pode ser usada: {erro}")
    _mostrar(relatorio, simular, em_json)
    if relatorio.interrompido:
        sys.exit(NAO_FOI_POSSIVEL)
    if relatorio.contagem[Resultado.RECUSADO]:
        sys.exit(PROBLEMA)


@contextmanager
def _aberto(motor: Engine) -> Iterator[Engine]:
    """The app's engine, without a worker of its own: a running app has one."""
    try:
        yield motor.open(worker=False)
    finally:
        motor.close()


def _com_andamento(itens: list[Item], em_json: bool) -> Iterable[Item]:
    if em_json or not sys.stderr.isatty():
        yield from itens
        return
    with click.progressbar(itens, label="Importando", file=sys.stderr) as barra:
        yield from barra


def _mostrar(relatorio: Relatorio, simular: bool, em_json: bool) -> None:
    corpo = relatorio.as_json()
    if em_json:
        click.echo(json.dumps(corpo, ensure_ascii=False))
        return
    inicio = "Simulação: " if simular else ""
    contagem = ", ".join(f"{corpo[r.value]} {r.value}" for r in Resultado)
    click.echo(f"{inicio}{contagem}.")
    if relatorio.pendentes:
        click.echo(f"{relatorio.pendentes} guardados na fila local; vão para o banco quando ele voltar.")
    for relato in relatorio.relatos:
        onde = f"linha {relato['linha']}" if "linha" in relato else f"registro {relato['registro']}"
        click.echo(f"  {onde}: {relato['motivo']}")


def _desistir(motivo: str) -> NoReturn:
    click.echo(f"Erro: {motivo}", err=True)
    sys.exit(NAO_FOI_POSSIVEL)
