"""`python -m academia.supervisor`: starts everything, keeps it running, ends all of it within 20 seconds.

Order of the start: settings, port, first administrator, embedded server, migration, gunicorn. Of the end:
gunicorn (up to 11 s), then the server (up to 8 s). Exit 0 after a signal, 3 where it cannot start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator

from academia.settings import Settings, SettingsError
from academia.supervisor.ending import EndRequest
from academia.supervisor.first_user import make_first_user
from academia.supervisor.keeper import Keeper
from academia.supervisor.migration import Migration
from academia.supervisor.say import say
from academia.supervisor.web import CannotServe, Web, bind

APP = "academia:create_app()"
CANNOT_START = 3
_TICK_SECONDS = 0.2
# How long the first migration of the embedded server may keep the app from serving.
_PATIENCE_SECONDS = 60.0


class CannotStart(RuntimeError):
    """The reason, in one line."""


def main(app: str = APP) -> int:
    """Run until a signal comes; returns the exit code."""
    ending = EndRequest()
    try:
        settings = Settings.load()
        with _only_one(settings):
            _run(settings, ending, app)
    except (SettingsError, CannotStart, CannotServe) as error:
        print(f"Erro: {error}", file=sys.stderr)
        return CANNOT_START
    return 0


def _run(settings: Settings, ending: EndRequest, app: str) -> None:
    try:
        bound = bind(settings.bind, settings.port)
    except OSError as error:
        raise CannotStart(
            f"PORT: não é possível servir em {settings.bind}:{settings.port} ({error.strerror}). "
            "Escolha outra porta, por exemplo: PORT=8080 make run"
        ) from error
    keeper = Keeper(settings, ending) if settings.embedded else None
    migration = Migration(settings)
    web = Web(settings, bound, app)
    try:
        make_first_user(settings)
        if keeper is not None:
            say("Iniciando o PostgreSQL embutido…")
            if keeper.start():
                _migrate_first(migration, ending)
        _watch(settings, ending, keeper, migration, web)
    finally:
        migration.end()
        web.end()
        if keeper is not None:
            keeper.end()


def _migrate_first(migration: Migration, ending: EndRequest) -> None:
    """With the embedded server the first write shall be stored, so the migration comes before serving."""
    limit = time.monotonic() + _PATIENCE_SECONDS
    while not (migration.tried or ending() or time.monotonic() > limit):
        migration.tick()
        time.sleep(0.05)


def _watch(
    settings: Settings, ending: EndRequest, keeper: Keeper | None, migration: Migration, web: Web
) -> None:
    announced = False
    while not ending():
        if keeper is not None:
            keeper.tick()
            if keeper.moved:
                keeper.moved = False
                web.end_workers()
        migration.tick()
        web.tick()
        if web.serves and not announced:
            announced = True
            _announce(settings)
        time.sleep(_TICK_SECONDS)
    say("Encerrando…")


def _announce(settings: Settings) -> None:
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    say(f"Servindo em http://{host}:{settings.port} (Ctrl-C encerra tudo).")
    say("Para criar um token: .venv/bin/flask --app academia tokens criar --nome NOME")


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """One supervisor for each ACADEMIA_VAR. Raises CannotStart where another one runs."""
    with (settings.var / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"ACADEMIA_VAR: a aplicação já está em execução com {settings.var}. "
                "Encerre-a, ou escolha outra pasta."
            ) from None
        yield


if __name__ == "__main__":
    code = main()
    # A terminal that is gone must not turn the end into an error.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)
