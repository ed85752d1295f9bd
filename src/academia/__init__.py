"""The gym's app: registers students through the engine, and goes on doing so while PostgreSQL is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from academia.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI app, with its commands. Settings come from the environment unless they are given.

    The parts are imported here: the supervisor and the migration need the package, not the app.
    """
    from academia.app import criar_app

    return criar_app(settings)
