"""Sends a form: a registration, or the changed fields of one that was sent before.

The form's key was made when it was rendered, so that a double click, F5 and Back are one write. The same key
with other fields is what the person means *now*: the fields that differ from what this form sent last are
sent as a change of the same student, with the values sent last as those that were seen.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.historia import SEPARADOR, Historia, historia
from academia.alunos.leitura import ler_cadastro, ler_edicao
from academia.alunos.normalizar import normalizar
from academia.alunos.parecidos import Pessoa, parecidos_daqui
from academia.alunos.queries import um
from academia.alunos.sobrepor import Linha
from academia.alunos.writes import Edicao, Remetente, cadastrar, editar, ids_do_cadastro
from academia.balcao import formulario
from academia.balcao.formulario import Digitado
from robusto.errors import DatabaseUnavailable, JournalError, KeyReused, NotAccepted
from robusto.write import canonical_json

if TYPE_CHECKING:
    from robusto import Engine

_log = logging.getLogger(__name__)

NAMESPACE = "app"


class PareceJaExistir(Exception):
    """Somebody like this is known here; a person decides."""

    def __init__(self, linhas: list[Linha]) -> None:
        super().__init__("parece já existir")
        self.linhas = linhas


class OutraPessoa(Exception):
    """This form has registered somebody, and now holds somebody else."""

    def __init__(self, base: Mapping[str, Any]) -> None:
        super().__init__("outra pessoa")
        self.base = base


class NadaMudou(Exception):
    """Nothing of the form differs from what is there."""


def enviar_cadastro(
    motor: Engine, digitado: Digitado, remetente: Remetente, *, outras: Collection[str], a_mesma: bool
) -> tuple[UUID, UUID]:
    """The student and the write that is shown to the person.

    outras: ids of those who look alike and are somebody else. a_mesma: the person said that a new name is a
    correction. Raises DadosInvalidos, PareceJaExistir, OutraPessoa, and what `Engine.submit` raises.
    """
    pedido = formulario.pedido(digitado)
    colunas = ler_cadastro(pedido).colunas()
    gravacao, id_aluno = ids_do_cadastro(motor, remetente)
    if outros := _outros(motor, Pessoa.de(colunas), {str(id_aluno), *outras}):
        raise PareceJaExistir(outros)
    try:
        aceito = cadastrar(motor, colunas, remetente, pedido)
    except KeyReused:
        return _reenviar(motor, id_aluno, gravacao, digitado, remetente, a_mesma=a_mesma)
    return aceito.id_aluno, aceito.recibo.id


def _outros(motor: Engine, pessoa: Pessoa, conhecidos: Collection[str]) -> list[Linha]:
    """Who looks alike, as far as it is known here: PostgreSQL is not waited for twice in one request.

    Whose a CPF is PostgreSQL decides while it is there.
    """
    if motor.status().database_connected:
        pessoa = replace(pessoa, cpf="")
    try:
        return [linha for linha in parecidos_daqui(motor, pessoa) if linha["id"] not in conhecidos]
    except JournalError as erro:  # a copy that cannot be read is no reason to send a person away
        _log.warning("possible duplicates cannot be looked up: %s", type(erro).__name__)
        return []


def _reenviar(
    motor: Engine,
    id_aluno: UUID,
    gravacao: UUID,
    digitado: Digitado,
    remetente: Remetente,
    *,
    a_mesma: bool,
) -> tuple[UUID, UUID]:
    passado = historia(motor, NAMESPACE, remetente.chave)
    base: Mapping[str, Any] = passado.sobre({})
    if not passado.tem_cadastro:  # it was sent through another host, or long ago
        base = _agora(motor, id_aluno, remetente)
    mudados = formulario.mudados(digitado, base)
    if not a_mesma and "nome" in mudados and not _mesmo_nome(digitado, base):
        raise OutraPessoa(base)
    try:
        return id_aluno, _mudar(motor, id_aluno, mudados, base, remetente)
    except NadaMudou:
        return id_aluno, passado.ultima or gravacao


def enviar_edicao(
    motor: Engine, id_aluno: UUID, digitado: Digitado, visto: Mapping[str, Any], remetente: Remetente
) -> UUID:
    """The write. Raises DadosInvalidos, NadaMudou, and what `Engine.submit` raises."""
    conhecidos = {coluna: texto for coluna, texto in digitado.items() if coluna in visto}
    mudados = formulario.mudados(conhecidos, visto)
    try:
        return _mudar(motor, id_aluno, mudados, visto, remetente, primeira=True)
    except (KeyReused, NadaMudou) as erro:
        passado: Historia = historia(motor, NAMESPACE, remetente.chave)
        if isinstance(erro, NadaMudou) and passado.ultima is None:
            raise
        base = passado.sobre(visto)
        try:
            return _mudar(motor, id_aluno, formulario.mudados(conhecidos, base), base, remetente)
        except NadaMudou:
            if passado.ultima is None:
                raise
            return passado.ultima


def _mudar(
    motor: Engine,
    id_aluno: UUID,
    mudados: Digitado,
    base: Mapping[str, Any],
    remetente: Remetente,
    *,
    primeira: bool = False,
) -> UUID:
    """Submit the changed fields. The key of a later sending of a form is made of what it changes."""
    if not mudados:
        raise NadaMudou
    pedido = formulario.pedido(mudados, vazios=True)
    mudancas = ler_edicao(pedido).mudancas()
    mudancas = {c: v for c, v in mudancas.items() if v != base.get(c)}
    if not mudancas:
        raise NadaMudou
    visto = {coluna: base.get(coluna) for coluna in mudancas}
    chave = remetente.chave if primeira else _chave(remetente.chave, mudancas, visto)
    de = Remetente(remetente.namespace, chave, remetente.autor)
    corpo = {"id": str(id_aluno), "aluno": pedido | {"visto": visto}}
    return editar(motor, id_aluno, Edicao(mudancas, visto), de, corpo).recibo.id


def _chave(do_formulario: str, mudancas: Mapping[str, Any], visto: Mapping[str, Any]) -> str:
    corpo = canonical_json({"mudancas": dict(mudancas), "visto": dict(visto)})
    return f"{do_formulario}{SEPARADOR}{hashlib.sha256(corpo).hexdigest()[:32]}"


def _agora(motor: Engine, id_aluno: UUID, remetente: Remetente) -> Linha:
    """The student as he is now. Raises NotAccepted where nobody can tell what the form was accepted as."""
    try:
        linha = um(motor, id_aluno)
    except DatabaseUnavailable as erro:
        raise NotAccepted(erro.reason, key=remetente.chave, maybe_applied=True) from erro
    if linha is None:
        raise NotAccepted("the student is not there", key=remetente.chave, maybe_applied=True)
    return linha


def _mesmo_nome(digitado: Digitado, base: Mapping[str, Any]) -> bool:
    """Whether a word of the names is the same: then it is a correction."""
    antes, agora = (
        {
            p
            for c in ("nome", "nome_social")
            for p in normalizar(str(nomes.get(c) or "")).split()
            if len(p) > 2
        }
        for nomes in (base, digitado)
    )
    return bool(antes & agora)
