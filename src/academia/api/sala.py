"""What the app's views work with: the engine and the tokens, one of each for an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from academia.tokens import Tokens

if TYPE_CHECKING:
    from robusto import Engine

NOME = "academia"


@dataclass(frozen=True, slots=True)
class Sala:
    """Kept in `app.extensions["academia"]`."""

    motor: Engine
    tokens: Tokens


def sala() -> Sala:
    """That of the running app."""
    return cast(Sala, current_app.extensions[NOME])
