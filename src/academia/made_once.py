"""Values that are made at the first start and kept: secrets, and the port of the embedded server.

Several processes may start at once. Each makes its own value, but only one becomes the file: `link` fails
where the name exists, so that a reader never sees half a file and all processes agree.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[], str]) -> str:
    """Return the text kept in `path`; where there is none, keep what `make` returns.

    The file gets the rights 0600 and is flushed with its folder. Raises OSError where the folder cannot be
    read or written.
    """
    kept = read_kept(path)
    if kept is not None:
        return kept
    scratch = write_scratch(path, make())
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass  # another process was first: its value counts
    finally:
        scratch.unlink()
    flush_folder(path.parent)
    return path.read_text().strip()


def keep(path: Path, text: str) -> None:
    """Replace what `path` keeps, in one step that survives a power cut. Raises OSError."""
    write_scratch(path, text).replace(path)
    flush_folder(path.parent)


def read_kept(path: Path) -> str | None:
    """The kept text, or None where the file does not exist. Raises OSError where it cannot be read."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None


def write_scratch(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write `text` flushed to a new file beside `path`, and return that file's path. Raises OSError."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return scratch


def flush_folder(folder: Path) -> None:
    """Flush the folder's entries, so that a new name is there after a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
