"""What an exception of the driver or of a handler says, as a `Failure`."""

from __future__ import annotations

import psycopg

from robusto.failures import TLS, Cause, Failure, Phase
from robusto.postgres.connection import DeadlineExceeded, TLSRefused
from robusto.postgres.lineage import NotAdmitted
from robusto.postgres.pool import PoolExhausted

#: Raised on the client side: the server never saw it, and would never take it.
_PERMANENT = (psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.InterfaceError)


def failure_of(error: BaseException, phase: Phase) -> Failure:
    """Keep the SQLSTATE and the constraint's name; drop every text, for texts repeat values."""
    if not isinstance(error, psycopg.Error):
        return Failure(phase, Cause.OTHER, name=f"handler:{type(error).__name__}")
    if error.sqlstate is not None:
        return Failure(phase, Cause.SERVER, error.sqlstate, error.diag.constraint_name)
    if isinstance(error, _PERMANENT):
        return Failure(phase, Cause.DATA, name=f"client:{type(error).__name__}")
    return Failure(phase, Cause.LOST, name=_name(error, phase))


def _name(error: psycopg.Error, phase: Phase) -> str:
    if isinstance(error, DeadlineExceeded):
        return "deadline"
    if isinstance(error, PoolExhausted):
        return "pool_exhausted"
    if isinstance(error, TLSRefused):
        return TLS
    if isinstance(error, NotAdmitted):
        return error.reason
    return "cannot_connect" if phase is Phase.CONNECT else "connection_lost"
