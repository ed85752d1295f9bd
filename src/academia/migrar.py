"""Bring PostgreSQL to the schema that this code expects. Several processes may call it at once."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

#: Any number, but always the same: whoever comes second waits, and then finds nothing left to do.
_TRAVA = 7_262_870_100
_SEGUNDOS_PARA_CONECTAR = 10


def migrar(database_url: str) -> None:
    """Run the migrations that are missing, all of them in one transaction or none.

    Raises sqlalchemy.exc.SQLAlchemyError or psycopg.Error when PostgreSQL cannot be reached or refuses.
    """
    # The driver reads the address itself: libpq's form with several hosts is none of SQLAlchemy's.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_url, connect_timeout=_SEGUNDOS_PARA_CONECTAR),
        poolclass=NullPool,
    )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as conexao:
        conexao.execute(text("SELECT pg_advisory_xact_lock(:trava)"), {"trava": _TRAVA})
        config.attributes["connection"] = conexao
        command.upgrade(config, "head")
