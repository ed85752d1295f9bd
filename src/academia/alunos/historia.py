"""What one form has already sent about a student, as far as this host knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.campos import COLUNAS
from academia.alunos.tipos import CADASTRAR, EDITAR, TIPOS
from robusto.write import Write

if TYPE_CHECKING:
    from robusto import Engine

#: Longer than accepted writes are kept here.
_GUARDADAS = timedelta(hours=73)
#: Between the key of a form and what tells its later sendings apart.
SEPARADOR = ":"


@dataclass(frozen=True, slots=True)
class Historia:
    """The writes of one form, in order."""

    gravacoes: Sequence[Write]

    @property
    def ultima(self) -> UUID | None:
        """The id of the last one."""
        return self.gravacoes[-1].id if self.gravacoes else None

    @property
    def tem_cadastro(self) -> bool:
        """Whether the registration itself is known here."""
        return any(gravacao.kind == CADASTRAR for gravacao in self.gravacoes)

    def sobre(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """The columns after all that this form has sent, beginning with what it saw."""
        colunas = dict(base)
        for gravacao in self.gravacoes:
            if gravacao.kind == CADASTRAR:
                dados = gravacao.payload.get("aluno", {})
                colunas = {c: dados.get(c) for c in COLUNAS} | {"situacao": dados.get("situacao") or "ativo"}
            else:
                mudancas = gravacao.payload.get("mudancas", {})
                colunas |= {coluna: valor for coluna, valor in mudancas.items() if coluna in COLUNAS}
        return colunas


def historia(motor: Engine, namespace: str, chave: str) -> Historia:
    """Of the form with this key. Raises JournalError."""
    desde = datetime.now(UTC) - _GUARDADAS
    todas = [gravacao for gravacao, _ in motor.unfinished(TIPOS)]
    todas += motor.recent(TIPOS, desde)
    deste = {g.id: g for g in todas if g.namespace == namespace and _do_formulario(g, chave)}
    return Historia(sorted(deste.values(), key=lambda gravacao: gravacao.accepted_at))


def _do_formulario(gravacao: Write, chave: str) -> bool:
    if gravacao.key == chave:
        return True
    return gravacao.kind == EDITAR and gravacao.key.startswith(chave + SEPARADOR)
