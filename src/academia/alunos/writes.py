"""The writes about students: how each is handed to the engine, and how it takes effect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from academia.alunos.campos import COLUNAS, aninhar
from academia.alunos.normalizar import texto_de_busca
from academia.alunos.tipos import CADASTRAR, EDITAR
from robusto.errors import JournalError, NotAccepted, Refused
from robusto.handlers import Transaction
from robusto.identity import protocol_number
from robusto.write import Payload, Receipt

if TYPE_CHECKING:
    from robusto import Engine


@dataclass(frozen=True, slots=True)
class Remetente:
    """Who hands a write over: the namespace of the keys, the key, and the name that goes on record."""

    namespace: str
    chave: str
    autor: str


@dataclass(frozen=True, slots=True)
class Edicao:
    """The columns that change, the values that were seen, and the raw record of a repeated import."""

    mudancas: Mapping[str, Any]
    visto: Mapping[str, Any]
    origem: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Aceito:
    """An accepted write about a student."""

    id_aluno: UUID
    protocolo: str
    recibo: Receipt


def nova_chave() -> str:
    """The key of a write whose caller named none."""
    return uuid4().hex


def cadastrar(
    motor: Engine,
    colunas: Mapping[str, Any],
    remetente: Remetente,
    pedido: Payload,
    origem: Mapping[str, Any] | None = None,
) -> Aceito:
    """Register a student. `pedido` is what the caller sent; `origem` a raw record to be kept with it.

    Raises what `Engine.submit` raises.
    """
    gravacao, id_aluno = ids_do_cadastro(motor, remetente)
    protocolo = protocol_number(gravacao)
    payload: dict[str, Any] = {
        "id": str(id_aluno),
        "protocolo": protocolo,
        "criado_em": datetime.now(UTC).isoformat(),
        "criado_por": remetente.autor,
        "aluno": dict(colunas),
    }
    if origem is not None:
        payload["origem"] = dict(origem)
    recibo = motor.submit(
        CADASTRAR,
        payload,
        key=remetente.chave,
        namespace=remetente.namespace,
        ordering_keys=(f"aluno:{id_aluno}", *_chaves_de_cpf(colunas)),
        request=pedido,
        author=remetente.autor,
    )
    return Aceito(id_aluno, protocolo, recibo)


def ids_do_cadastro(motor: Engine, remetente: Remetente) -> tuple[UUID, UUID]:
    """The ids of the write and of the student that a registration with this key makes.

    Raises NotAccepted where the journal, and with it the secret of the ids, cannot be read.
    """
    try:
        gravacao = motor.write_id(CADASTRAR, remetente.chave, remetente.namespace)
        return gravacao, motor.derived_id(gravacao, "aluno")
    except JournalError as erro:
        raise NotAccepted(str(erro), key=remetente.chave, maybe_applied=False) from erro


def editar(
    motor: Engine,
    id_aluno: UUID,
    edicao: Edicao,
    remetente: Remetente,
    pedido: Payload,
) -> Aceito:
    """Change columns of a student. Raises what `Engine.submit` raises."""
    mudancas, visto = edicao.mudancas, edicao.visto
    payload: dict[str, Any] = {"id": str(id_aluno), "mudancas": dict(mudancas), "visto": dict(visto)}
    if edicao.origem is not None:
        payload["origem"] = dict(edicao.origem)
    recibo = motor.submit(
        EDITAR,
        payload,
        key=remetente.chave,
        namespace=remetente.namespace,
        ordering_keys=(f"aluno:{id_aluno}", *_chaves_de_cpf(mudancas, visto)),
        request=pedido,
        author=remetente.autor,
    )
    return Aceito(id_aluno, protocol_number(recibo.id), recibo)


def _chaves_de_cpf(colunas: Mapping[str, Any], visto: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The CPF that is taken, and the one that is given up for it: whoever takes that comes after."""
    if "cpf" not in colunas:
        return ()
    cpfs = (colunas["cpf"], (visto or {}).get("cpf"))
    return tuple(f"cpf:{cpf}" for cpf in cpfs if cpf)


def registrar(motor: Engine) -> None:
    """Tell the engine how these kinds take effect."""
    motor.handler(CADASTRAR)(aplicar_cadastro)
    motor.handler(EDITAR)(aplicar_edicao)


_INSERIR = (
    f"INSERT INTO alunos (id, protocolo, criado_em, criado_por, origem, busca, {', '.join(COLUNAS)}) "
    "VALUES (%(id)s, %(protocolo)s, %(criado_em)s, %(criado_por)s, %(origem)s, %(busca)s, "
    f"{', '.join(f'%({coluna})s' for coluna in COLUNAS)})"
)


def aplicar_cadastro(tx: Transaction, payload: Payload) -> None:
    """Insert the student under the id that was derived from the write."""
    colunas = _conhecidas(payload["aluno"])
    origem = payload.get("origem")
    tx.execute(
        _INSERIR,
        {
            **dict.fromkeys(COLUNAS),
            "situacao": "ativo",
            **colunas,
            "id": payload["id"],
            "protocolo": payload["protocolo"],
            "criado_em": payload["criado_em"],
            "criado_por": payload["criado_por"],
            "origem": None if origem is None else json.dumps(origem),
            "busca": texto_de_busca(colunas["nome"], colunas.get("nome_social")),
        },
    )


def aplicar_edicao(tx: Transaction, payload: Payload) -> None:
    """Change the columns, unless the values that were seen are no longer there."""
    mudancas = _conhecidas(payload["mudancas"])
    atual = _para_mudar(tx, payload["id"])
    visto = _conhecidas(payload.get("visto", {}))
    passados = {coluna: atual.get(coluna) for coluna, valor in visto.items() if atual.get(coluna) != valor}
    if passados:
        raise Refused("conflict", campos=aninhar(passados))
    nova = {**atual, **mudancas}
    if "origem" in payload:
        mudancas["origem"] = json.dumps(payload["origem"])
    mudancas["busca"] = texto_de_busca(nova["nome"], nova.get("nome_social"))
    atribuicoes = ", ".join(f"{coluna} = %({coluna})s" for coluna in mudancas)
    tx.execute(f"UPDATE alunos SET {atribuicoes} WHERE id = %(id)s", {**mudancas, "id": payload["id"]})


def _para_mudar(tx: Transaction, id_aluno: str) -> Mapping[str, Any]:
    """The student as it is now, locked; the engine refuses a statement that finds nobody."""
    linha = tx.execute("SELECT to_jsonb(alunos) FROM alunos WHERE id = %s FOR UPDATE", (id_aluno,)).fetchone()
    if linha is None:
        raise Refused("no_effect")
    atual: Mapping[str, Any] = linha[0]
    return atual


def _conhecidas(colunas: Mapping[str, Any]) -> dict[str, Any]:
    """The name of a column becomes part of a statement: only those of the table are taken."""
    desconhecidas = [coluna for coluna in colunas if coluna not in COLUNAS]
    if desconhecidas:
        raise Refused("unknown_field")
    return dict(colunas)
