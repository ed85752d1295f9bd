"""The journal's encryption key: from the environment, from a file, or made once.

A journal whose key is missing cannot be read. A new key would hide that, so the start is refused instead.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from pathlib import Path

from academia.made_once import made_once, read_kept
from academia.reading_settings import SettingsError, text

KEY_BYTES = 32
_HOW = "Use 32 bytes em base64 urlsafe (várias separadas por vírgula: a primeira cifra, todas leem)."


def encryption_key(environ: Mapping[str, str], kept: Path, journal: Path) -> str:
    """The key or keys, checked. `kept` is the file of the key made at the first start.

    Raises SettingsError for a wrong key, and where `journal` holds entries whose key does not exist; OSError
    where `kept` cannot be read or written.
    """
    given = text(environ, "ROBUSTO_ENCRYPTION_KEY")
    file = text(environ, "ROBUSTO_ENCRYPTION_KEY_FILE")
    if given and file:
        raise SettingsError(
            "ROBUSTO_ENCRYPTION_KEY e ROBUSTO_ENCRYPTION_KEY_FILE estão ambas definidas. Remova uma."
        )
    if given:
        return _checked("ROBUSTO_ENCRYPTION_KEY", given)
    if file:
        return _checked("ROBUSTO_ENCRYPTION_KEY_FILE", _read(Path(file)))
    # The journal is looked at first and the key second: a process that starts at the same time makes the key
    # before the journal.
    has_journal = any(journal.glob("journal-*.db"))
    if read_kept(kept) is None and has_journal:
        raise SettingsError(
            f"ROBUSTO_ENCRYPTION_KEY: há uma fila local em {journal}, mas falta a chave dela, {kept}. "
            "Recoloque a chave (ou defina ROBUSTO_ENCRYPTION_KEY): as gravações pendentes dependem dela."
        )
    return _checked(str(kept), made_once(kept, _new_key))


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"ROBUSTO_ENCRYPTION_KEY_FILE: não é possível ler {file}. {_HOW}") from error


def _checked(name: str, keys: str) -> str:
    """The keys without blanks. The message never repeats a key."""
    parts = [part.strip() for part in keys.split(",")]
    for number, part in enumerate(parts, start=1):
        try:
            decoded = base64.b64decode(part.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            decoded = b""
        if len(decoded) != KEY_BYTES:
            raise SettingsError(f"{name}: a chave de número {number} não é válida. {_HOW}")
    return ",".join(parts)
