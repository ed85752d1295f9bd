"""What was typed into the search box, and who was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from academia.alunos import valores
from academia.alunos.consulta import Consulta
from academia.alunos.pagina import MAXIMO_DE_Q
from academia.alunos.queries import Pagina, Pedido, listar
from academia.balcao import mostrar, textos
from academia.balcao.frase import Frase
from academia.balcao.pessoas import Pessoa, pessoa
from robusto.errors import DatabaseUnavailable, JournalError
from robusto.identity import id_range

if TYPE_CHECKING:
    from robusto import Engine

_MOSTRADAS = 20
_COM_PONTUACAO = re.compile(r"\d{3}\.\d{3}\.\d{3}-?\d{2}|\d{9}-\d{2}", re.ASCII)
_PROTOCOLO = re.compile(r"AP[- ]?[0-9A-Z]{4}[- ]?[0-9A-Z]{4}[- ]?[0-9A-Z]{4}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Busca:
    """The answer. `aviso` stands instead of people; `fonte` says so when it is not from PostgreSQL."""

    q: str = ""
    pessoas: Sequence[Pessoa] = ()
    ha_mais: bool = False
    aviso: Frase | None = None
    fonte: str = ""
    gravacao: UUID | None = None
    """A write that has this protocol number and made no student."""

    @property
    def feita(self) -> bool:
        return bool(self.q)

    @property
    def contagem(self) -> str:
        return textos.encontradas(len(self.pessoas), self.ha_mais, self.fonte)

    @property
    def mais(self) -> str:
        return textos.HA_MAIS


def buscar(motor: Engine, texto: str) -> Busca:
    """Never raises: what cannot be looked up is said."""
    q = " ".join(texto.replace("\x00", " ").split())[:MAXIMO_DE_Q]
    if not q:
        return Busca()
    if aviso := _invalido(q):
        return Busca(q, aviso=aviso)
    try:
        pagina = listar(motor, Pedido(Consulta.de(q), _MOSTRADAS))
        gravacao = None if pagina.linhas else _gravacao(motor, q)
    except JournalError:
        return Busca(q, aviso=textos.SEM_PROCURA)
    pessoas = [pessoa(linha) for linha in pagina.linhas]
    return Busca(q, pessoas, pagina.proxima is not None, fonte=_fonte(pagina), gravacao=gravacao)


def campos_de(q: str) -> dict[str, str]:
    """What was typed into the search box, as the first field of a registration."""
    q = " ".join(q.split())
    if not q or _PROTOCOLO.fullmatch(q):
        return {}
    if not re.fullmatch(r"[\d().+/\s-]+", q, re.ASCII):
        return {"nome": q}
    for campo, ler in (("cpf", valores.cpf), ("celular", valores.telefone)):
        with suppress(ValueError):
            return {campo: mostrar.valor(campo, ler(q))}
    return {}


def _invalido(q: str) -> Frase | None:
    if _PROTOCOLO.fullmatch(q):
        try:
            id_range(q)
        except ValueError:
            return textos.PROTOCOLO_INVALIDO
    elif _seria_cpf(q) and not _serve(valores.cpf, q):
        return textos.CPF_INVALIDO
    return None


def _seria_cpf(q: str) -> bool:
    """Eleven digits may be a mobile telephone too."""
    if re.fullmatch(r"\d{11}", q, re.ASCII):
        return not _serve(valores.telefone, q)
    return bool(_COM_PONTUACAO.fullmatch(q))


def _serve(ler: Callable[[str], str], q: str) -> bool:
    try:
        ler(q)
    except ValueError:
        return False
    return True


def _gravacao(motor: Engine, q: str) -> UUID | None:
    if not _PROTOCOLO.fullmatch(q):
        return None
    try:
        achada = motor.find(*id_range(q))
    except DatabaseUnavailable:
        return None
    return None if achada is None else achada.id


def _fonte(pagina: Pagina) -> str:
    if pagina.fonte == "banco":
        return ""
    if pagina.idade_segundos is None:
        return textos.SEM_COPIA
    de = datetime.now(UTC) - timedelta(seconds=pagina.idade_segundos)
    return textos.DA_COPIA.format(hora=mostrar.hora(de))
