"""Takes records in, each as one write whose key is the record's own: a second run changes nothing.

A `fallback_id` that comes again with another content is another registration: both survive. An
`id_unico` that comes again for the same name is the same person, changed: the changed fields are
edited, with the earlier record as the values that were seen, so that what somebody changed here in
between is a conflict and never overwritten. An empty value never replaces a known one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.normalizar import normalizar
from academia.alunos.writes import Aceito, Edicao, Remetente, cadastrar, editar, ids_do_cadastro
from academia.importacao.conhecidos import Conhecidos
from academia.importacao.legado import Registro, conteudo, interpretar
from academia.importacao.relatorio import Resultado
from robusto.errors import DatabaseUnavailable, KeyReused, WriteRejected
from robusto.write import WriteState

if TYPE_CHECKING:
    from robusto import Engine

NAMESPACE = "app"
_AUTOR = "importacao"
_OUTRO_CONTEUDO = "identificador repetido com outro conteúdo: importado como outro aluno"


class Recusado(Exception):
    """The record was not taken in; the text says why, without personal data."""


class Importador:
    """One import. `avisos` is filled by each record anew."""

    def __init__(self, motor: Engine) -> None:
        self._motor = motor
        self._conhecidos = Conhecidos(motor)
        self.avisos: list[str] = []
        self.pendente = False

    def importar(self, registro: Registro) -> Resultado:
        """Take a record in. Raises Recusado, NotAccepted, and ValueError where it cannot be kept."""
        self.avisos, self.pendente = list(registro.avisos), False
        try:
            return self._cadastrar(registro, registro.chave)
        except KeyReused:
            return self._de_novo(registro)

    def _cadastrar(self, registro: Registro, chave: str) -> Resultado:
        try:
            aceito = cadastrar(
                self._motor, registro.colunas, _remetente(chave), registro.conteudo, origem=registro.bruto
            )
        except KeyReused:
            raise
        except WriteRejected as recusa:
            raise Recusado(_motivo(recusa)) from None
        return self._resultado(aceito, registro, Resultado.IMPORTADO)

    def _de_novo(self, registro: Registro) -> Resultado:
        """The key was used for another content."""
        _, id_aluno = ids_do_cadastro(self._motor, _remetente(registro.chave))
        if registro.pessoal:
            try:
                anterior = self._conhecidos.bruto(id_aluno)
            except DatabaseUnavailable:
                raise Recusado("já importado com outro conteúdo; compare de novo com o banco no ar") from None
            if anterior is not None and mesma_pessoa(anterior, registro.bruto):
                return self._atualizar(registro, id_aluno, anterior)
        self.avisos.append(_OUTRO_CONTEUDO)
        return self._cadastrar(registro, outra_chave(registro))

    def _atualizar(self, registro: Registro, id_aluno: UUID, anterior: Mapping[str, Any]) -> Resultado:
        if conteudo(anterior) == registro.conteudo:
            return Resultado.IGUAL
        antes = interpretar(anterior)
        mudancas = {c: v for c, v in registro.colunas.items() if v != antes.colunas.get(c)}
        visto = {coluna: antes.colunas.get(coluna) for coluna in mudancas}
        chave = f"{registro.chave}#{antes.resumo}>{registro.resumo}"
        try:
            edicao = Edicao(mudancas, visto, registro.bruto)
            aceito = editar(self._motor, id_aluno, edicao, _remetente(chave), registro.conteudo)
        except WriteRejected as recusa:
            raise Recusado(_motivo(recusa)) from None
        return self._resultado(aceito, registro, Resultado.ATUALIZADO)

    def _resultado(self, aceito: Aceito, registro: Registro, novo: Resultado) -> Resultado:
        self.pendente = aceito.recibo.state is not WriteState.STORED
        self._conhecidos.lembrar(aceito.id_aluno, registro.bruto)
        return Resultado.IGUAL if aceito.recibo.duplicate else novo


class Simulador:
    """Says what `Importador` would do, and writes nothing. PostgreSQL has to answer."""

    def __init__(self, motor: Engine) -> None:
        self._motor = motor
        self._conhecidos = Conhecidos(motor)
        self._cpfs: set[str] = set()
        self.avisos: list[str] = []
        self.pendente = False

    def importar(self, registro: Registro) -> Resultado:
        """Raises Recusado, NotAccepted, DatabaseUnavailable."""
        self.avisos = list(registro.avisos)
        resultado = self._comparar(registro, registro.chave)
        if resultado is None:
            self.avisos.append(_OUTRO_CONTEUDO)
            resultado = self._comparar(registro, outra_chave(registro)) or Resultado.IGUAL
        return resultado

    def _comparar(self, registro: Registro, chave: str) -> Resultado | None:
        """What becomes of the record under this key; None where it needs another one."""
        _, id_aluno = ids_do_cadastro(self._motor, _remetente(chave))
        anterior = self._conhecidos.bruto(id_aluno)
        if anterior is None:
            self._conferir_cpf(registro.colunas.get("cpf"))
            self._conhecidos.lembrar(id_aluno, registro.bruto)
            return Resultado.IMPORTADO
        if conteudo(anterior) == registro.conteudo:
            return Resultado.IGUAL
        if not (registro.pessoal and mesma_pessoa(anterior, registro.bruto)):
            return None
        self._conhecidos.lembrar(id_aluno, registro.bruto)
        return Resultado.ATUALIZADO

    def _conferir_cpf(self, cpf: str | None) -> None:
        if cpf is None:
            return
        if cpf in self._cpfs or self._conhecidos.cpf_em_uso(cpf):
            raise Recusado(_CPF_EM_USO)
        self._cpfs.add(cpf)


_CPF_EM_USO = "o CPF pertence a outro aluno"
_MOTIVOS = {"23505": _CPF_EM_USO, "conflict": "os campos foram mudados aqui depois da importação anterior"}


def mesma_pessoa(um: Mapping[str, Any], outro: Mapping[str, Any]) -> bool:
    """Whether two records with the same `id_unico` have the same name."""
    return normalizar(str(um.get("nome"))) == normalizar(str(outro.get("nome")))


def outra_chave(registro: Registro) -> str:
    """The key of a record whose identifier was taken by another content."""
    return f"{registro.chave}#{registro.resumo}"


def _remetente(chave: str) -> Remetente:
    return Remetente(namespace=NAMESPACE, chave=chave, autor=_AUTOR)


def _motivo(recusa: WriteRejected) -> str:
    motivo = _MOTIVOS.get(recusa.reason, f"recusado pelo banco de dados ({recusa.reason})")
    campos = recusa.detail.get("campos")
    return f"{motivo}: {', '.join(campos)}" if campos else motivo
