"""The app's settings: twelve-factor, read from the environment once, checked before anything starts.

What the environment leaves out is made at the first start and kept under `ACADEMIA_VAR`, so that the running
app and a command line with the same `ACADEMIA_VAR` see the same settings.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from academia.embedded.port import saved_port
from academia.encryption_key import encryption_key
from academia.made_once import made_once
from academia.reading_settings import SettingsError, choice, decimal, integer, text

__all__ = ["DATABASE", "Settings", "SettingsError"]

DATABASE = "academia"
"""The database in the embedded server."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting that the app and its embedded server know, with units in the names."""

    database_url: str = field(repr=False)
    """libpq address of PostgreSQL, several hosts allowed."""
    embedded: bool
    """Whether PostgreSQL is the embedded one, because DATABASE_URL is unset."""
    postgres_password: str = field(repr=False)
    """The embedded server's password; empty where DATABASE_URL is set."""
    secret_key: str = field(repr=False)
    var: Path
    """The folder of everything that is kept: absolute."""
    port: int
    bind: str
    web_concurrency: int
    """Number of gunicorn workers."""
    postgres_restart_seconds: float
    """How long a crashed embedded server stays down before it is started again; 0 = never."""
    nome: str
    suporte: str
    journal_path: Path
    """The journal's folder."""
    encryption_key: str = field(repr=False)
    """urlsafe base64 of 32 bytes; several by comma, the first encrypts, all read."""
    deadline_seconds: float
    """How long a request may wait for PostgreSQL, all attempts together."""
    retry_attempts: int
    journal_max_bytes: int
    reoffer: str
    """What a PostgreSQL that was set back lacks: `auto` goes by itself, `ask` waits for an operator."""
    trusted_hosts: tuple[str, ...]
    """The names under which the app may be asked, besides those of this machine itself; empty = not set."""
    log_level: str

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and check the settings, and make the absent secrets.

        Raises SettingsError with one line for the person who starts the app.
        """
        var = _folder(environ)
        journal_path = Path(text(environ, "ROBUSTO_JOURNAL_PATH") or var / "journal").absolute()
        try:
            key = encryption_key(environ, var / "segredos" / "chave-diario", journal_path)
            database_url, password = _database(environ, var)
            secret_key = text(environ, "SECRET_KEY") or made_once(
                var / "segredos" / "secret-key", lambda: secrets.token_urlsafe(48)
            )
        except OSError as error:
            raise SettingsError(
                f"ACADEMIA_VAR: não é possível ler ou gravar {error.filename} ({error.strerror}). "
                "Dê a pasta a este usuário ou indique outra em ACADEMIA_VAR."
            ) from error
        return cls(
            database_url=database_url,
            embedded=bool(password),
            postgres_password=password,
            secret_key=secret_key,
            var=var,
            port=integer(environ, "PORT", 8000, least=1, most=65535),
            bind=text(environ, "ACADEMIA_BIND") or "127.0.0.1",
            web_concurrency=integer(environ, "WEB_CONCURRENCY", 4, least=1, most=64),
            postgres_restart_seconds=decimal(
                environ, "ACADEMIA_POSTGRES_RESTART_SECONDS", 5.0, least=0, most=86_400
            ),
            nome=text(environ, "ACADEMIA_NOME") or "Academia",
            suporte=text(environ, "ACADEMIA_SUPORTE"),
            journal_path=journal_path,
            encryption_key=key,
            deadline_seconds=decimal(environ, "ROBUSTO_DEADLINE_SECONDS", 2.0, least=0.1, most=60),
            retry_attempts=integer(environ, "ROBUSTO_RETRY_ATTEMPTS", 3, least=1, most=20),
            journal_max_bytes=integer(environ, "ROBUSTO_JOURNAL_MAX_BYTES", 2**30, least=2**20, most=2**50),
            reoffer=choice(environ, "ROBUSTO_REOFFER", "auto", ("auto", "ask")),
            trusted_hosts=tuple(text(environ, "ROBUSTO_TRUSTED_HOSTS").replace(",", " ").split()),
            log_level=choice(
                environ, "ROBUSTO_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
            ),
        )


def _folder(environ: Mapping[str, str]) -> Path:
    """ACADEMIA_VAR, made where it is absent; by default `var/` in the checkout, wherever one stands."""
    checkout = Path(__file__).resolve().parents[2]
    var = Path(text(environ, "ACADEMIA_VAR") or checkout / "var").absolute()
    try:
        var.mkdir(parents=True, exist_ok=True, mode=0o700)
        (var / "segredos").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"ACADEMIA_VAR: não é possível criar a pasta {error.filename} ({error.strerror}). "
            "Indique uma pasta em que este usuário possa gravar."
        ) from error
    return var


def _database(environ: Mapping[str, str], var: Path) -> tuple[str, str]:
    """The address of PostgreSQL, and the embedded server's password ("" where DATABASE_URL is set)."""
    address = text(environ, "DATABASE_URL")
    if not address:
        password = made_once(var / "segredos" / "postgres-senha", lambda: secrets.token_urlsafe(24))
        return f"postgresql://postgres:{password}@127.0.0.1:{saved_port(var)}/{DATABASE}", password
    address = address.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        # The driver's message may repeat the password, so it is not shown.
        raise SettingsError(
            "DATABASE_URL: não é um endereço do PostgreSQL. Escreva "
            "postgresql://USUARIO:SENHA@HOST:PORTA/BANCO (caracteres especiais da senha em forma %XX)."
        ) from None
    return address, ""
