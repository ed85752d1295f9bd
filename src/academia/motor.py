"""The engine of this app: its settings, the kinds it knows, the copy it keeps."""

from __future__ import annotations

from academia.alunos.copia import COPIA, SQL_DA_COPIA
from academia.alunos.writes import registrar
from academia.settings import Settings
from robusto import Config, Engine, Replica


def montar_motor(settings: Settings) -> Engine:
    """Put it together, not yet opened. Raises ConfigError."""
    motor = Engine(
        Config(
            conninfo=settings.database_url,
            journal_path=settings.journal_path,
            encryption_key=settings.encryption_key,
            deadline_seconds=settings.deadline_seconds,
            retry_attempts=settings.retry_attempts,
            journal_max_bytes=settings.journal_max_bytes,
            reoffer=settings.reoffer,
        )
    )
    registrar(motor)
    motor.replicate(Replica(name=COPIA, sql=SQL_DA_COPIA))
    return motor
