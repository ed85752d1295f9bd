"""Reads `cadastros_fallback.json` as it is found: whole, cut off, damaged, or of another shape.

Every whole record is given back, every other stretch is reported; the file is only read. It is first
taken byte by byte as Latin-1, which cannot fail and leaves JSON's own characters as they are; each
record is then read again from its own bytes, so that one wrong character costs nothing but itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_BOM = b"\xef\xbb\xbf"
_NOME = r'"(?:[^"\\]|\\.)*"\s*:'
#: What stands between two items of a list, or between two values of an object.
_ENTRE_ITENS = re.compile(r"[\s,]*")
_ENTRE_VALORES = re.compile(rf"(?:[\s,]|{_NOME})*")
#: The begin of an object that has a name. Inside a text its quote would have a backslash before it.
_ABERTURA = re.compile(r'\{\s*"')
_OBJETO_DE = re.compile(rf"\{{\s*{_NOME}\s*([{{\[])")

_RESPONSAVEL = re.compile(r'"responsavel"\s*:$')
_PERTO = 80

_CORTADO = "registro cortado ou danificado"
_SEM_FIM = "o arquivo acaba antes do fim da lista"
_DEPOIS_DO_FIM = "há algo depois do fim da lista"
_NAO_E_REGISTRO = "não é um registro"
_NAO_UTF8 = "texto que não era UTF-8, lido como Windows-1252"


@dataclass(frozen=True, slots=True)
class Achado:
    """One whole record."""

    registro: dict[str, Any]
    avisos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Perdido:
    """A stretch of the file that is no record; `linha` is where it begins."""

    motivo: str
    linha: int


Item = Achado | Perdido


def ler(dados: bytes) -> Iterator[Item]:
    """Everything that is in the file, in order."""
    texto = dados.removeprefix(_BOM).decode("latin-1")
    inicio = _depois(_ENTRE_ITENS, texto, 0)
    if inicio == len(texto):
        yield Perdido("o arquivo está vazio", 1)
    elif texto[inicio] == "{":
        yield from _do_objeto(texto, inicio)
    else:
        yield from _um_por_um(texto, inicio + (texto[inicio] == "["), _ENTRE_ITENS)


def _do_objeto(texto: str, inicio: int) -> Iterator[Item]:
    """An object on top: one record, or records by name, or a list under a name."""
    fim = _fim_do_valor(texto, inicio)
    if fim is not None:
        yield from _desdobrar(*_reler(texto, inicio, fim))
        if _depois(_ENTRE_ITENS, texto, fim) < len(texto):
            yield from _um_por_um(texto, fim, _ENTRE_ITENS)
        return
    achado = _OBJETO_DE.match(texto, inicio)
    if not _ABERTURA.match(texto, inicio):  # no name follows: it was the bracket of a list
        yield from _um_por_um(texto, inicio + 1, _ENTRE_ITENS)
    elif achado is None:
        yield _perdido(texto, inicio, _CORTADO)  # a single record that was cut off
    elif achado[1] == "[":
        yield from _um_por_um(texto, achado.end(), _ENTRE_ITENS)
    else:
        yield from _um_por_um(texto, achado.start(1), _ENTRE_VALORES)


def _um_por_um(texto: str, posicao: int, entre: re.Pattern[str]) -> Iterator[Item]:
    while (posicao := _depois(entre, texto, posicao)) < len(texto):
        fim = _fim_do_valor(texto, posicao)
        if fim is not None:
            yield _item(texto, posicao, fim)
            posicao = fim
            continue
        no_fim = texto[posicao] in "]}"
        if no_fim and _depois(_ENTRE_ITENS, texto, posicao + 1) == len(texto):
            return
        yield _perdido(texto, posicao, _DEPOIS_DO_FIM if no_fim else _CORTADO)
        seguinte = _proximo_registro(texto, posicao + 1, entre)
        if seguinte is None:
            return
        posicao = seguinte
    yield _perdido(texto, len(texto), _SEM_FIM)


def _proximo_registro(texto: str, desde: int, entre: re.Pattern[str]) -> int | None:
    """Where the next whole record begins behind a damaged stretch.

    What stands behind a colon is a record only where records have names; elsewhere it is a part of
    the damaged one (a guardian, say), and nobody may be made a student of it.
    """
    for achado in _ABERTURA.finditer(texto, desde):
        antes = texto[max(desde, achado.start() - _PERTO) : achado.start()].rstrip()
        if antes.endswith(":") is (entre is _ENTRE_VALORES) and not _RESPONSAVEL.search(antes):
            fim = _fim_do_valor(texto, achado.start())
            if fim is not None and "nome" in _reler(texto, achado.start(), fim)[0]:
                return achado.start()
    return None


def _desdobrar(objeto: Any, avisos: tuple[str, ...]) -> Iterator[Item]:
    if not objeto:
        return
    if "nome" in objeto or not any(isinstance(valor, dict | list) for valor in objeto.values()):
        yield Achado(objeto, avisos)
        return
    for valor in objeto.values():
        itens: Iterable[Any] = valor if isinstance(valor, list) else [valor]
        for item in itens:
            yield Achado(item, avisos) if isinstance(item, dict) else Perdido(_NAO_E_REGISTRO, 1)


def _item(texto: str, inicio: int, fim: int) -> Item:
    valor, avisos = _reler(texto, inicio, fim)
    return Achado(valor, avisos) if isinstance(valor, dict) else _perdido(texto, inicio, _NAO_E_REGISTRO)


def _reler(texto: str, inicio: int, fim: int) -> tuple[Any, tuple[str, ...]]:
    """A value from its own bytes, in the encoding that they are in."""
    dados = texto[inicio:fim].encode("latin-1")
    try:
        return _LEITOR.decode(dados.decode("utf-8")), ()
    except UnicodeDecodeError:
        return _LEITOR.decode(dados.decode("cp1252", errors="replace")), (_NAO_UTF8,)


def _fim_do_valor(texto: str, inicio: int) -> int | None:
    try:
        return _LEITOR.raw_decode(texto, inicio)[1]
    except (ValueError, RecursionError):  # ValueError is also what a number of 5,000 digits raises
        return None


def sem_perder(pares: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object, and where a name stands twice in it both values."""
    objeto: dict[str, Any] = {}
    for nome, valor in pares:
        outro, n = nome, 2
        while outro in objeto:
            outro, n = f"{nome} ({n})", n + 1
        objeto[outro] = valor
    return objeto


#: Lenient: raw line breaks inside texts, NaN as a text.
_LEITOR = json.JSONDecoder(strict=False, object_pairs_hook=sem_perder, parse_constant=str)


def _depois(entre: re.Pattern[str], texto: str, posicao: int) -> int:
    achado = entre.match(texto, posicao)
    return achado.end() if achado else posicao


def _perdido(texto: str, posicao: int, motivo: str) -> Perdido:
    return Perdido(motivo, texto.count("\n", 0, posicao) + 1)
