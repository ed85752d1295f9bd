"""A student in a list: what tells people apart, as this reader may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from academia.balcao import mostrar, textos
from academia.balcao.planta import colunas_ocultas


@dataclass(frozen=True, slots=True)
class Pessoa:
    """One line."""

    id: str
    nome: str
    civil: str
    """The civil name beside a social one; empty where it is not to be seen."""
    nascimento: str
    cpf: str
    telefones: str
    protocolo: str
    estado: tuple[str, str] | None
    """Where the record is, unless it is stored."""
    situacao: str
    """Unless active."""


def nome_de(linha: Mapping[str, Any]) -> str:
    """The social name where there is one."""
    return str(linha.get("nome_social") or linha.get("nome") or "")


def pessoa(linha: Mapping[str, Any]) -> Pessoa:
    """From a row."""
    telefones = (linha.get(coluna) for coluna in ("celular", "telefone", "responsavel_telefone"))
    situacao = linha.get("situacao") or "ativo"
    estado = linha.get("estado", "gravado")
    civil = linha.get("nome") if linha.get("nome_social") and not colunas_ocultas(linha) else ""
    return Pessoa(
        id=str(linha["id"]),
        nome=nome_de(linha),
        civil=str(civil or ""),
        nascimento=mostrar.data(linha.get("data_nascimento") or ""),
        cpf=mostrar.cpf(linha.get("cpf") or ""),
        telefones=", ".join(mostrar.telefone(numero) for numero in telefones if numero),
        protocolo=str(linha.get("protocolo") or ""),
        estado=None if estado == "gravado" else textos.ESTADOS[estado],
        situacao="" if situacao == "ativo" else textos.SITUACOES.get(situacao, situacao),
    )
