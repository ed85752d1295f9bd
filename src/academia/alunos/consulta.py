"""What is looked for, once as SQL for PostgreSQL and once as a predicate for the local copy.

Both say the same: all words of the query inside the names, or its digits inside the CPF or a
telephone number, or the protocol number. Exact names come first, then by name, then by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from academia.alunos.normalizar import SEPARADOR, normalizar, so_digitos
from robusto.identity import id_range, protocol_number

_TELEFONES = ("telefone", "celular", "responsavel_telefone")
#: Fewer digits would list everybody of an area code.
_MINIMO_DE_DIGITOS = 3

#: Where a row stands in the answer: exact names first, then by name, then by id.
Posicao = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Consulta:
    """A query as understood; without any part it finds everybody.

    palavras: have to be in a name, all of them. telefone: the digits without the zero that is dialled
    before an area code, as numbers are stored.
    """

    texto: str = ""
    palavras: tuple[str, ...] = ()
    digitos: str = ""
    telefone: str = ""
    protocolo: str = ""

    @classmethod
    def de(cls, q: str) -> Consulta:
        """Understand what a person typed."""
        texto, digitos = normalizar(q), so_digitos(q)
        if len(digitos) < _MINIMO_DE_DIGITOS:
            digitos = ""
        return cls(texto, tuple(texto.split()), digitos, digitos.lstrip("0"), _protocolo(q))

    def encontra(self, linha: Mapping[str, Any]) -> bool:
        """Whether a row is found: the same answer as `condicao`."""
        busca = linha["busca"]
        for palavra in self.palavras:  # a plain loop: it runs for everybody in the copy
            if palavra not in busca:
                break
        else:
            return True
        if self.digitos and self.digitos in (linha.get("cpf") or ""):
            return True
        if self.telefone:
            for coluna in _TELEFONES:
                if self.telefone in (linha.get(coluna) or ""):
                    return True
        return bool(self.protocolo) and linha["protocolo"] == self.protocolo

    def posicao(self, linha: Mapping[str, Any]) -> Posicao:
        """Where a row stands: the same order as `ordem`."""
        busca = linha["busca"]
        exata = bool(self.texto) and self.texto in busca.split(SEPARADOR)
        return (0 if exata else 1, busca, linha["id"])

    def condicao(self) -> tuple[str, dict[str, Any]]:
        """The condition on `alunos` and its parameters."""
        palavras = {f"palavra_{n}": palavra for n, palavra in enumerate(self.palavras)}
        nomes = " AND ".join(f"strpos(busca, %({nome})s) > 0" for nome in palavras) or "true"
        partes, parametros = [f"({nomes})"], dict(palavras)
        if self.digitos:
            partes.append("strpos(cpf, %(digitos)s) > 0")
            parametros["digitos"] = self.digitos
        if self.telefone:
            partes += [f"strpos({coluna}, %(telefone)s) > 0" for coluna in _TELEFONES]
            parametros["telefone"] = self.telefone
        if self.protocolo:
            partes.append("protocolo = %(protocolo)s")
            parametros["protocolo"] = self.protocolo
        return f"({' OR '.join(partes)})", parametros

    def ordem(self) -> tuple[list[str], dict[str, Any]]:
        """The parts of a position that tell rows apart, as SQL; without a text none is exact."""
        if not self.texto:
            return ["busca", "id"], {}
        exata = "%(exata)s = ANY (string_to_array(busca, E'\\n'))"
        return [f"CASE WHEN {exata} THEN 0 ELSE 1 END", "busca", "id"], {"exata": self.texto}


def _protocolo(q: str) -> str:
    try:
        return protocol_number(id_range(q)[0])
    except ValueError:
        return ""
