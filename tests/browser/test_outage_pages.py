"""Every page answers with the right words while PostgreSQL is refused, frozen or black-holed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.sync_api import Browser, Page

from drill.proxy import Mode, Proxy
from tests.support.chromium import Visitors, log_in, register
from tests.support.postgres_server import PostgresServer
from tests.support.running_app import RunningApp
from tests.support.running_supervisor import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

_TIMES = 4
_ANSWERED_IN = """() => {
  const seen = performance.getEntriesByType("navigation")[0];
  return seen.responseEnd - seen.startTime;
}"""


class Outages:
    """The app behind a proxy, and what can happen to its PostgreSQL."""

    def __init__(self, app: RunningApp, proxy: Proxy, server: PostgresServer, visitors: Visitors) -> None:
        self.visitors = visitors
        self._proxy = proxy
        self._server = server
        self.admin = visitors.user("chefe")
        register(self.admin, nome="Antônia Conhecida", nome_social="")
        self.admin.click("text=Ver o cadastro")
        self.student = urlsplit(self.admin.url).path
        app.wait_until_copied()

    @contextmanager
    def outage(self, kind: str) -> Iterator[None]:
        """One that the app has noticed when this begins; afterwards it has noticed the end, too."""
        if kind == "frozen":
            self._server.freeze()
        else:
            self._proxy.set_mode({"refused": Mode.REFUSE, "black hole": Mode.BLACK_HOLE}[kind])
        try:
            yield
        finally:
            self._server.thaw()
            self._proxy.set_mode(Mode.FORWARD)
            self.admin.goto("/sistema")
            self.admin.wait_for_selector("[data-level=green]")


@pytest.fixture(scope="module")
def outages(
    browser: Browser, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outages]:
    with postgres_server.new_database() as database:
        parts = urlsplit(database)
        assert parts.port is not None
        port = free_port()
        through = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))
        with Proxy(port, parts.port) as proxy:
            app = RunningApp(tmp_path_factory.mktemp("proxied") / "var", database=through)
            try:
                app.wait_until_ready()
                app.create_user("chefe", "administrador")
                visitors = Visitors(browser, app.address)
                yield Outages(app, proxy, postgres_server, visitors)
                visitors.close()
            finally:
                app.end()


@pytest.mark.parametrize("kind", ["refused", "frozen", "black hole"])
def test_login_search_student_and_console_work_in_an_outage(
    outages: Outages, kind: str, record_property: Callable[[str, object], None]
) -> None:
    stranger = outages.visitors.stranger()
    measured = []
    with outages.outage(kind):
        for name, (ask, words) in pages(outages, stranger).items():
            waits = [ask() for _ in range(_TIMES)]
            for said in words:
                assert said in stranger.inner_text("body"), (name, stranger.inner_text("main"))
            measured.append(f"{name} {max(waits[1:]):.0f} ms (first {waits[0]:.0f})")
    record_property("measured", f"slowest answer, PostgreSQL {kind}: {', '.join(measured)}")


def pages(outages: Outages, page: Page) -> dict[str, tuple[Callable[[], float], tuple[str, ...]]]:
    """Name -> how to ask for it (answers how long it took, in ms), and what has to be read there."""

    def asked(path: str) -> Callable[[], float]:
        def ask() -> float:
            page.goto(path)
            return float(page.evaluate(_ANSWERED_IN))

        return ask

    def login() -> float:
        page.context.clear_cookies()
        page.goto("/entrar")
        log_in(page, "chefe")
        return float(page.evaluate(_ANSWERED_IN))

    def search() -> float:
        page.goto("/")
        page.fill("#q", "antonia")
        with page.expect_navigation():  # as without the script
            page.evaluate("document.getElementById('busca').submit()")
        return float(page.evaluate(_ANSWERED_IN))

    def registration() -> float:
        register(page, nome="Basílio Guardado")
        return float(page.evaluate(_ANSWERED_IN))

    away = "O banco de dados está fora do ar"
    return {
        "login": (login, ("Balcão",)),
        "registration": (registration, ("guardado com segurança", away)),
        "desk": (asked("/"), (away,)),
        "search": (search, ("Antônia Conhecida", "da cópia local")),
        "student": (asked(outages.student), ("Da cópia local", "(11) 98765-4321")),
        "form": (asked("/alunos/novo"), ("Novo cadastro",)),
        "console": (asked("/sistema"), ("Pode continuar a registrar", "fora do ar")),
        "pending": (asked("/sistema/pendentes"), ("Registros aceitos", "AP-")),
        "quarantine": (asked("/sistema/quarentena"), ("Nenhum registro",)),
        "activity": (asked("/sistema/atividade"), ("O mais novo primeiro",)),
        "users": (asked("/usuarios"), ("Novo usuário",)),
        "password": (asked("/senha"), ("Trocar a senha",)),
    }
