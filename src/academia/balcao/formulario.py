"""What was typed: from the posted fields to what `alunos` reads, and back to the same page."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from academia.alunos import valores
from academia.alunos.campos import COLUNAS, aninhar
from academia.alunos.leitura import DadosInvalidos
from academia.balcao import mostrar
from academia.balcao.campos import GRUPOS, ROTULOS, Campo, Grupo

Digitado = Mapping[str, str]

_DATA_SEM_BARRAS = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})", re.ASCII)
_SIM = "sim"


@dataclass(frozen=True, slots=True)
class Formulario:
    """A form as it is shown: what stands in its fields, and what is wrong with them."""

    chave: str
    valores: Digitado = field(default_factory=dict)
    erros: Mapping[str, str] = field(default_factory=dict)
    visto: str = ""
    """The values that were seen, as JSON; empty for a registration."""
    outras: Collection[str] = ()
    """Ids of people who look like this one and are somebody else."""
    sem: Collection[str] = ()
    """Columns that this person may not see."""

    @property
    def grupos(self) -> tuple[Grupo, ...]:
        return GRUPOS

    def campos(self, grupo: Grupo) -> list[Campo]:
        """The fields of a group that are on this form."""
        return [campo for campo in grupo.campos if campo.nome not in self.sem]

    def aberto(self, grupo: Grupo) -> bool:
        """Whether a group has something to show."""
        nomes = {campo.nome for campo in grupo.campos}
        preenchido = any(self.valores.get(nome) for nome in nomes - {"situacao"})
        return (
            preenchido
            or (self.valores.get("situacao", "ativo") != "ativo" and "situacao" in nomes)
            or (bool(nomes & self.erros.keys()))
        )

    @property
    def primeiro(self) -> str:
        """The field that has the focus: the first that is wrong, else the first that is empty."""
        ordem = [campo.nome for grupo in GRUPOS for campo in self.campos(grupo)]
        if errado := next((nome for nome in ordem if nome in self.erros), ""):
            return errado
        return next((nome for nome in ordem if not self.valores.get(nome)), "nome")

    @property
    def preenchidos(self) -> list[tuple[str, str]]:
        """Label and value of everything that was typed, to be printed."""
        return [
            (campo.rotulo, self.valores[campo.nome])
            for grupo in GRUPOS
            for campo in self.campos(grupo)
            if self.valores.get(campo.nome)
        ]


def ler(postado: Mapping[str, str]) -> dict[str, str]:
    """Column -> text, for the fields that the form had. A box that is not ticked is not posted."""
    digitado = {coluna: _linhas(postado[coluna]) for coluna in COLUNAS if coluna in postado}
    if "celular" in postado:
        digitado["whatsapp"] = _SIM if postado.get("whatsapp") else ""
    return digitado


def pedido(digitado: Digitado, *, vazios: bool = False) -> dict[str, Any]:
    """The fields as the API names them. With `vazios` an empty field clears what was there."""
    colunas: dict[str, Any] = {}
    for coluna, texto in digitado.items():
        if coluna == "whatsapp":
            colunas[coluna] = texto == _SIM
        elif texto.strip() or vazios or coluna == "nome":
            colunas[coluna] = _data(texto) if coluna == "data_nascimento" else texto.strip()
    return aninhar(colunas)


def de_guardado(colunas: Mapping[str, Any]) -> dict[str, str]:
    """Stored columns as the form shows them."""
    return {coluna: mostrar.valor(coluna, colunas.get(coluna)) for coluna in COLUNAS}


def escrever_visto(colunas: Mapping[str, Any], sem: Collection[str] = ()) -> str:
    """The values as they are stored, for the hidden field of an edit."""
    return json.dumps({coluna: colunas.get(coluna) for coluna in COLUNAS if coluna not in sem})


def ler_visto(texto: str) -> dict[str, Any]:
    """Columns that were seen; what somebody else wrote into the field is left out."""
    try:
        visto = json.loads(texto or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(visto, dict):
        return {}
    return {c: v for c, v in visto.items() if c in COLUNAS and _foi_mostrado(v)}


def _foi_mostrado(valor: Any) -> bool:
    """Whether a form of ours can have held this value."""
    return valores.guardavel(valor) if isinstance(valor, str) else valor is None or isinstance(valor, bool)


def mudados(digitado: Digitado, base: Mapping[str, Any]) -> dict[str, str]:
    """The fields that say something else than these stored values do."""
    return {
        coluna: texto
        for coluna, texto in digitado.items()
        if texto.strip() != _linhas(mostrar.valor(coluna, base.get(coluna))).strip()
    }


def por_coluna(invalidos: DadosInvalidos) -> dict[str, str]:
    """The messages at their fields."""
    return {campo.replace(".", "_"): " ".join(textos) for campo, textos in invalidos.campos.items()}


def rotulos(erros: Collection[str]) -> list[str]:
    """The labels of these fields, in the order of the form."""
    return [rotulo for nome, rotulo in ROTULOS.items() if nome in erros]


def _linhas(texto: str) -> str:
    """Browsers send every line break as two characters."""
    return texto.replace("\r\n", "\n").replace("\r", "\n")


def _data(texto: str) -> str:
    """02031990, 2-3-1990 and 2.3.1990 mean 02/03/1990."""
    texto = texto.strip()
    if achada := _DATA_SEM_BARRAS.fullmatch(texto):
        return "/".join(achada.groups())
    return texto if re.match(r"\d{4}-", texto) else re.sub(r"[-. ]", "/", texto)
