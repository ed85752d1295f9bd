"""The states of a write in the words of the API."""

from __future__ import annotations

from collections.abc import Mapping

from robusto.write import WriteState

GRAVADO = "gravado"
PENDENTE = "pendente"
QUARENTENA = "quarentena"
DESCARTADO = "descartado"

ESTADOS: Mapping[WriteState, str] = {
    WriteState.STORED: GRAVADO,
    WriteState.PENDING: PENDENTE,
    WriteState.QUARANTINED: QUARENTENA,
    WriteState.DISCARDED: DESCARTADO,
}
