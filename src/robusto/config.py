"""Settings of the engine: one frozen record, from arguments or from the environment."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from robusto.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that an engine needs to know.

    conninfo: PostgreSQL, as a URL or a libpq string; several hosts allowed.
    journal_path: a folder for the journal, made with mode 0700.
    encryption_key: urlsafe base64 of 32 bytes; several by comma, the first seals, all open.
    deadline_seconds: how long one request may wait for PostgreSQL, all tries together.
    retry_attempts: tries inside that deadline.
    journal_max_bytes: size limit of the journal's main file.
    pool_size: connections of one process.
    lease_seconds: how long a drainer that fell silent keeps its turn.
    reoffer: "auto", or "ask": what a PostgreSQL that was set back lacks waits for an operator's word.
    retention_seconds: how long applied entries and copies of direct writes are kept (72 h).
    Raises ConfigError, in one line that names the setting, for a value that cannot be used.
    """

    conninfo: str
    journal_path: Path | str
    encryption_key: str
    deadline_seconds: float = 2.0
    retry_attempts: int = 3
    journal_max_bytes: int = 1 << 30
    pool_size: int = 8
    lease_seconds: float = 10.0
    reoffer: str = "auto"
    retention_seconds: float = 72 * 3600.0

    def __post_init__(self) -> None:
        if not 0.1 <= self.deadline_seconds <= 60:
            raise ConfigError("ROBUSTO_DEADLINE_SECONDS must lie between 0.1 and 60 seconds")
        if not 1 <= self.retry_attempts <= 20:
            raise ConfigError("ROBUSTO_RETRY_ATTEMPTS must lie between 1 and 20")
        if self.journal_max_bytes < 1 << 20:
            raise ConfigError("ROBUSTO_JOURNAL_MAX_BYTES must be at least 1048576 (1 MiB)")
        if self.reoffer not in ("auto", "ask"):
            raise ConfigError(f"ROBUSTO_REOFFER must be auto or ask, not {self.reoffer!r}")
        self.keys()

    @property
    def folder(self) -> Path:
        """The journal's folder."""
        return Path(self.journal_path)

    def keys(self) -> tuple[bytes, ...]:
        """The encryption keys; the first seals. Raises ConfigError for a malformed one."""
        return tuple(_key(text) for text in self.encryption_key.split(","))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """The settings of `ROBUSTO_*` and `DATABASE_URL`. Raises ConfigError for a wrong or absent one."""
        return cls(
            conninfo=_required(environ, "DATABASE_URL"),
            journal_path=Path(_required(environ, "ROBUSTO_JOURNAL_PATH")),
            encryption_key=_encryption_key(environ),
            deadline_seconds=_number(environ, "ROBUSTO_DEADLINE_SECONDS", 2.0),
            retry_attempts=int(_number(environ, "ROBUSTO_RETRY_ATTEMPTS", 3)),
            journal_max_bytes=int(_number(environ, "ROBUSTO_JOURNAL_MAX_BYTES", 1 << 30)),
            reoffer=environ.get("ROBUSTO_REOFFER", "").strip() or "auto",
        )


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ConfigError(
            "ROBUSTO_ENCRYPTION_KEY must be the urlsafe base64 of 32 bytes (several by comma);"
            " make one with: "
            'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        )
    return key


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigError(f"{name} is not set")
    return value


def _encryption_key(environ: Mapping[str, str]) -> str:
    path = environ.get("ROBUSTO_ENCRYPTION_KEY_FILE", "").strip()
    if not path:
        return _required(environ, "ROBUSTO_ENCRYPTION_KEY")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ConfigError(f"ROBUSTO_ENCRYPTION_KEY_FILE cannot be read: {error.strerror}") from None


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip()
    try:
        number = float(text) if text else default
        int(number)  # neither infinite nor "nan"
        return number
    except (ValueError, OverflowError):
        raise ConfigError(f"{name} must be a number, not {text!r}") from None
