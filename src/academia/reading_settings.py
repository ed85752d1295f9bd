"""Reading one environment variable, with one clear line where its value is wrong.

An empty variable counts as unset. Each function raises SettingsError, which names the variable, what is wrong
with its value and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


class SettingsError(ValueError):
    """A setting has a wrong value, or what it needs is missing. The text is one line for a person."""


def text(environ: Mapping[str, str], name: str) -> str:
    """The value without surrounding blanks; "" where it is unset."""
    return environ.get(name, "").strip()


def integer(environ: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    given = text(environ, name)
    try:
        value = int(given) if given else default
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingsError(
            f"{name}: {given!r} não é um número inteiro de {least} a {most}. Corrija ou remova."
        )
    return value


def decimal(environ: Mapping[str, str], name: str, default: float, *, least: float, most: float) -> float:
    """A number from `least` to `most`."""
    given = text(environ, name)
    try:
        value = float(given) if given else default
    except ValueError:
        value = math.nan
    if not least <= value <= most:  # NaN is not either
        raise SettingsError(f"{name}: {given!r} não é um número de {least:g} a {most:g}. Corrija ou remova.")
    return value


def choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`, in any case of letters."""
    given = text(environ, name) or default
    found = next((each for each in allowed if each.lower() == given.lower()), None)
    if found is None:
        raise SettingsError(f"{name}: {given!r} não é um destes: {', '.join(allowed)}. Corrija ou remova.")
    return found
