"""A browser, the app, and who uses it: once for each process, for one test after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import Visitors, chromium
from tests.support.running_app import RunningApp


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with its embedded PostgreSQL, a receptionist (ana) and an administrator (chefe)."""
    running = RunningApp(tmp_path_factory.mktemp("app") / "var", ACADEMIA_NOME="Academia da Praça")
    try:
        running.wait_until_ready()
        running.create_user("ana", "recepcao", "Ana Inventada")
        running.create_user("chefe", "administrador", "Chefe Inventado")
        yield running
    finally:
        running.end()


@pytest.fixture
def visitors(browser: Browser, app: RunningApp) -> Iterator[Visitors]:
    """Browsers at the app; once they are closed PostgreSQL answers again."""
    visitors = Visitors(browser, app.address)
    yield visitors
    visitors.close()
    app.thaw()
    app.wait_until_ready()
