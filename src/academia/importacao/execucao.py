"""One run over a file: every record read, taken in or simulated, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from academia.importacao.importador import Recusado
from academia.importacao.legado import Registro, interpretar
from academia.importacao.leitor import Achado, Item, ler
from academia.importacao.relatorio import Relatorio, Resultado
from robusto.errors import NotAccepted

_NAO_GUARDADO = "não foi guardado (nem no banco, nem na fila local); a importação parou aqui: repita-a depois"
_SEM_RESPOSTA = "não se sabe se foi guardado; a importação parou aqui: repita-a, não há risco de duplicar"


class Destino(Protocol):
    """An import, or its simulation."""

    avisos: list[str]
    pendente: bool

    def importar(self, registro: Registro) -> Resultado: ...


def executar(arquivo: Path, destino: Destino, andamento: Callable[[list[Item]], Iterable[Item]]) -> Relatorio:
    """Import a file. Raises OSError where it cannot be read, DatabaseUnavailable from a simulation."""
    relatorio = Relatorio()
    for numero, item in enumerate(andamento(list(ler(arquivo.read_bytes()))), start=1):
        if isinstance(item, Achado):
            _um(numero, item, destino, relatorio)
        else:
            relatorio.contar(Resultado.RECUSADO)
            relatorio.relatar(numero, item.motivo, item.linha)
        if relatorio.interrompido:
            break
    return relatorio


def _um(numero: int, achado: Achado, destino: Destino, relatorio: Relatorio) -> None:
    try:
        resultado = destino.importar(interpretar(achado.registro))
    except (Recusado, ValueError) as recusa:
        relatorio.contar(Resultado.RECUSADO)
        relatorio.relatar(numero, str(recusa))
        return
    except NotAccepted as falha:
        relatorio.interrompido = _SEM_RESPOSTA if falha.maybe_applied else _NAO_GUARDADO
        relatorio.contar(Resultado.RECUSADO)
        relatorio.relatar(numero, relatorio.interrompido)
        return
    relatorio.contar(resultado)
    relatorio.pendentes += destino.pendente
    for aviso in (*achado.avisos, *destino.avisos):
        relatorio.relatar(numero, aviso)
