"""Adds the engine to a Flask app."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Mapping

import click
from flask import Flask

from robusto.config import Config
from robusto.engine import Engine
from robusto.flask.cli import group
from robusto.flask.views import blueprint
from robusto.watch.log import to_stderr

#: True: may. False: is known, but may not (403). None: nobody is logged in (401).
Authorize = Callable[[str], bool | None]


class Robusto:
    """The extension.

    engine: the engine to use; without one it is made from `ROBUSTO_*` and `DATABASE_URL`.
    authorize: is called with the right that a request needs (`ver`, `operar`, `corrigir`, `revelar`,
    `administrar`) and answers True, False or None; without it nobody may do anything.
    layout: the template that the console's pages extend, with the blocks `title`, `head`, `content`.
    login_url: where a page sends whoever is not logged in, with `?proximo=` the page that was asked
    for; without it that page says so (401).
    who: the operator's name for the record of acts.
    kind_names: what people call the kinds of writes, by their stored names.

    `init_app` adds the console at `/sistema`, `/livez`, `/readyz`, `/sistema/status`,
    `/sistema/processar-fallback` and the command group `robusto`, and starts the worker and the log on
    stderr (`ROBUSTO_LOG_LEVEL`, where the app has set up no logging), except under another command of
    the command line.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Engine | None = None,
        authorize: Authorize | None = None,
        layout: str = "robusto/layout.html",
        login_url: str | None = None,
        who: Callable[[], str] | None = None,
        kind_names: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = engine
        self.authorize: Authorize = authorize or (lambda right: None)
        self.layout = layout
        self.login_url = login_url
        self.who: Callable[[], str] = who or (lambda: "console")
        self._kind_names = dict(kind_names or {})
        if app is not None:
            self.init_app(app)

    @property
    def engine(self) -> Engine:
        """The engine. Raises ConfigError when it has to be made and a setting is wrong."""
        if self._engine is None:
            self._engine = Engine(Config.from_env())
        return self._engine

    def kind_name(self, kind: str) -> str:
        """What people call this kind of write."""
        return self._kind_names.get(kind, kind)

    def init_app(self, app: Flask) -> None:
        """Add everything to this app."""
        app.extensions["robusto"] = self
        app.register_blueprint(blueprint)
        app.cli.add_command(group)
        if _serving():
            if not logging.getLogger("robusto").hasHandlers():
                to_stderr(os.environ.get("ROBUSTO_LOG_LEVEL", "INFO"))
            self.engine.open()
            atexit.register(self.engine.close)


def _serving() -> bool:
    """Whether this process is to serve requests, and not to carry out some other command."""
    context = click.get_current_context(silent=True)
    return context is None or context.info_name == "run"
