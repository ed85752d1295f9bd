"""The local copy of the students, brought up to date with what this host stored since it was made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from academia.alunos.sobrepor import Linha, sobrepor
from academia.alunos.tipos import TIPOS
from robusto.write import WriteState

if TYPE_CHECKING:
    from robusto import Engine

COPIA = "alunos"
#: A student as one JSON object; what the app never shows stays behind.
LINHA = "jsonb_strip_nulls(to_jsonb(alunos) - '{origem,criado_em,criado_por,alterado_em}'::text[])"
#: What the engine keeps a local copy of, in the order of the changes.
SQL_DA_COPIA = (
    f"SELECT id, alterado_em AS changed_at, {LINHA} AS row FROM alunos "
    "WHERE (alterado_em, id) > (%(since)s, %(after)s) ORDER BY alterado_em, id LIMIT %(limit)s"
)
_SEMPRE = datetime(1970, 1, 1, tzinfo=UTC)


def linhas_da_copia(motor: Engine) -> tuple[Mapping[str, Linha], float | None]:
    """Every student by id, and the age of the copy in seconds, None where there is no copy yet."""
    copia = motor.replica(COPIA)
    desde = copia.as_of
    base = copia.rows()
    guardadas = [(gravacao, WriteState.STORED) for gravacao in motor.recent(TIPOS, desde or _SEMPRE)]
    idade = None if desde is None else max(0.0, (datetime.now(UTC) - desde).total_seconds())
    return {**base, **sobrepor(base, guardadas)}, idade
