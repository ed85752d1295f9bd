"""Who may be the same person: the same CPF, or the same date of birth and a name that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from academia.alunos.copia import LINHA, linhas_da_copia
from academia.alunos.normalizar import SEPARADOR, normalizar
from academia.alunos.queries import inacabadas, por_id
from academia.alunos.sobrepor import Linha, alunos_tocados, sobrepor
from robusto.errors import DatabaseUnavailable
from robusto.handlers import Transaction

if TYPE_CHECKING:
    from robusto import Engine

#: More would not be read.
_MAXIMO = 5
_CANDIDATOS = 500


@dataclass(frozen=True, slots=True)
class Pessoa:
    """What is known of somebody who is about to be registered."""

    cpf: str = ""
    nascimento: str = ""
    nomes: tuple[frozenset[str], ...] = ()

    @classmethod
    def de(cls, colunas: Mapping[str, Any]) -> Pessoa:
        """From the columns of a registration."""
        nomes = (normalizar(colunas.get(coluna) or "") for coluna in ("nome", "nome_social"))
        palavras = tuple(frozenset(nome.split()) for nome in nomes if nome)
        return cls(colunas.get("cpf") or "", colunas.get("data_nascimento") or "", palavras)

    @property
    def procuravel(self) -> bool:
        """Whether there is enough to compare."""
        return bool(self.cpf or (self.nascimento and self.nomes))

    def parece(self, linha: Linha) -> bool:
        """Whether this student may be the same person."""
        if self.cpf and linha.get("cpf") == self.cpf:
            return True
        if not self.nascimento or linha.get("data_nascimento") != self.nascimento:
            return False
        outros = [frozenset(nome.split()) for nome in linha["busca"].split(SEPARADOR)]
        return any(um <= outro or outro <= um for um in self.nomes for outro in outros if outro)


def parecidos(motor: Engine, pessoa: Pessoa) -> list[Linha]:
    """From PostgreSQL or, without it, from the local copy; pending ones too. Raises JournalError."""
    if not pessoa.procuravel:
        return []
    gravacoes = inacabadas(motor)
    try:
        achados, tocados = motor.read(
            lambda tx: (_candidatos(tx, pessoa), por_id(tx, alunos_tocados(gravacoes)))
        )
    except DatabaseUnavailable:
        return parecidos_daqui(motor, pessoa)
    mudados = sobrepor(tocados, gravacoes)
    return _os_que_parecem(pessoa, [*mudados.values(), *(a for a in achados if a["id"] not in mudados)])


def parecidos_daqui(motor: Engine, pessoa: Pessoa) -> list[Linha]:
    """From what this host knows, without asking PostgreSQL. Raises JournalError."""
    if not pessoa.procuravel:
        return []
    gravacoes = inacabadas(motor)
    copia, _ = linhas_da_copia(motor)
    return _os_que_parecem(pessoa, {**copia, **sobrepor(copia, gravacoes)}.values())


def _os_que_parecem(pessoa: Pessoa, linhas: Iterable[Linha]) -> list[Linha]:
    """The same CPF first."""
    achados = [linha for linha in linhas if pessoa.parece(linha)]
    achados.sort(key=lambda linha: (linha.get("cpf") != pessoa.cpf, linha["busca"], linha["id"]))
    return achados[:_MAXIMO]


def _candidatos(tx: Transaction, pessoa: Pessoa) -> list[Linha]:
    sql = f"SELECT {LINHA} FROM alunos WHERE cpf = %s OR data_nascimento = %s::date LIMIT {_CANDIDATOS}"
    return [linha for (linha,) in tx.execute(sql, (pessoa.cpf, pessoa.nascimento or None)).fetchall()]
