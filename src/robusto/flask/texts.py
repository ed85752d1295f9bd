"""What people read, in one place. Brazilian Portuguese; another language is another such table."""

from __future__ import annotations

from robusto.passes import Drained

UNAUTHENTICATED = "Entre no sistema ou envie um token válido."
FORBIDDEN = "Você não tem permissão para isto."


def drained(result: Drained, *, connected: bool) -> str:
    """One sentence about a requested drain."""
    if not connected:
        return (
            "O banco de dados está fora do ar. "
            f"{_records(result.remaining)} em segurança neste sistema; enviaremos sozinhos quando voltar."
        )
    if result.processed == 0 and result.remaining == 0:
        return "Nada pendente."
    sentence = f"{_records(result.processed)} sincronizado(s)"
    if result.remaining:
        sentence += f"; {_records(result.remaining)} ainda pendente(s)"
    if result.quarantined:
        sentence += f"; {_records(result.quarantined)} em quarentena, à espera de correção"
    return sentence + "."


def _records(n: int) -> str:
    return f"{n} registro" if n == 1 else f"{n} registros"
