"""A copy of PostgreSQL's files that an unprivileged user may read, for root under a closed folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from academia.embedded.errors import EmbeddedError

PLACE = Path("/var/tmp")
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a")


def staged_copy(folder: Path) -> Path:
    """The `bin` folder of a readable copy of the installation that `folder` (its `bin`) belongs to.

    Debian's own packages are readable by everybody and are used where they are. Raises EmbeddedError.
    """
    if folder.is_relative_to("/usr"):
        return folder
    install = folder.parent
    mark = hashlib.sha256(f"{install}:{folder.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    copy = PLACE / f"academia-postgres-{mark}"
    staged = copy / install.parent.name / install.name / folder.name
    try:
        if not copy.exists():
            _make(install, copy)
        _check_owner(copy)
    except OSError as error:
        raise EmbeddedError(
            f"não é possível copiar os programas do PostgreSQL para {copy}: {error}"
        ) from error
    return staged


def _make(install: Path, copy: Path) -> None:
    """Copy the installation and its sibling folder of libraries, then give the copy its name."""
    scratch = Path(tempfile.mkdtemp(prefix="academia-postgres-", dir=PLACE))
    try:
        package = install.parent
        shutil.copytree(install, scratch / package.name / install.name, symlinks=True, ignore=_NOT_NEEDED)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        for entry in (scratch, *scratch.rglob("*")):
            if not entry.is_symlink():
                runnable = entry.is_dir() or entry.stat().st_mode & stat.S_IXUSR
                entry.chmod(0o755 if runnable else 0o644)
        scratch.rename(copy)
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        if not copy.exists():  # else another process was first
            raise


def _check_owner(copy: Path) -> None:
    """The folder lies in a place where anybody may make one: only root's own is trusted."""
    found = os.lstat(copy)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise EmbeddedError(f"{copy} não foi criada por root: remova-a, seus programas não são executados")
