"""A write to PostgreSQL, or into a durable local journal, exactly once and in order."""

from robusto.config import Config
from robusto.engine import Engine
from robusto.errors import (
    ConfigError,
    DatabaseUnavailable,
    JournalError,
    KeyReused,
    NotAccepted,
    Refused,
    RobustoError,
    WriteRejected,
)
from robusto.finding import Found
from robusto.handlers import Transaction
from robusto.passes import Drained
from robusto.replica import Replica
from robusto.watch.status import Status
from robusto.write import Receipt, Write, WriteState

__version__ = "0.1.0"

__all__ = [
    "Config",
    "ConfigError",
    "DatabaseUnavailable",
    "Drained",
    "Engine",
    "Found",
    "JournalError",
    "KeyReused",
    "NotAccepted",
    "Receipt",
    "Refused",
    "Replica",
    "RobustoError",
    "Status",
    "Transaction",
    "Write",
    "WriteRejected",
    "WriteState",
]
