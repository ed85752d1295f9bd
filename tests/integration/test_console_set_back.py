"""What an operator sees and does when PostgreSQL has come back without the last writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from robusto import WriteState
from robusto.flask.cli import group
from tests.support.console import Desk, desk_of
from tests.support.engine_kit import Shop, engine_at, note, wait_for
from tests.support.postgres_server import PostgresServer
from tests.support.set_back import Backup

pytest_plugins = ["tests.support.engine_fixtures"]


@pytest.fixture
def asked(shop: Shop, folder: Path, postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Desk]:
    """A console whose PostgreSQL has forgotten two writes, and waits for a word."""
    with desk_of(engine_at(shop.dsn, folder, reoffer="ask")) as desk:
        copy = Backup(postgres_server, tmp_path / "copy")
        wait_for(lambda: desk.engine.status().database_connected)
        for value in ("Ana", "Bia"):
            receipt = desk.submit("note", note(value), "k")
            assert receipt.state is WriteState.STORED
        copy.restore()
        wait_for(lambda: desk.engine.status().missing == 2)
        yield desk


def test_the_console_says_what_is_the_case_and_lets_it_go(asked: Desk, shop: Shop) -> None:
    page = asked.text("/sistema")
    assert "Vermelho" in page and "o banco de dados voltou sem os últimos registros" in page
    assert "Confira com quem administra o banco de dados se este é o servidor certo." in page
    assert "Enviar de novo o que falta 2 registros, cada um na ordem que tinha." in page
    status = asked.json("GET", "/sistema/status")
    assert (status["level"], status["code"], status["missing"]) == ("red", "set_back_waits", 2)
    assert status["database_connected"] is False
    assert asked.submit("note", note("Caio"), "k").state is WriteState.PENDING
    assert shop.history() == []

    answer = asked.post("/sistema/reoferecer")
    assert (answer.status_code, answer.location) == (303, "/sistema")
    wait_for(lambda: asked.engine.status().level == "green")
    assert shop.history() == ["Ana", "Bia", "Caio"]
    wait_for(lambda: "enviado de novo o que faltava" in asked.text("/sistema/atividade?evento=reoffered"))
    assert "operadora" in asked.text("/sistema/atividade?evento=reoffer_allowed")
    assert asked.engine.verify().holds


def test_only_who_may_operate_is_offered_the_button(asked: Desk, shop: Shop) -> None:
    asked.rights = frozenset({"ver"})
    page = asked.get("/sistema").text
    assert "set_back_waits" in page and "reoferecer" not in page
    assert asked.post("/sistema/reoferecer").status_code == 403
    incident = asked.engine.set_back()
    assert incident is not None and not incident.allowed
    assert shop.history() == []


def test_the_command_says_what_is_missing_and_lets_it_go(asked: Desk, shop: Shop) -> None:
    asked.engine.close()
    runner = asked.app.test_cli_runner()
    done = runner.invoke(group, ["reoffer", "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output.splitlines()[-1])
    assert (figures["set_back"], figures["missing"], figures["done"]) == (True, 2, True)
    assert shop.history() == ["Ana", "Bia"]
    again = runner.invoke(group, ["reoffer", "--json"])
    assert again.exit_code == 0
    figures = json.loads(again.output.splitlines()[-1])
    assert (figures["set_back"], figures["missing"], figures["done"]) == (False, 0, True)


def test_the_command_says_that_it_could_not_look(asked: Desk, postgres_server: PostgresServer) -> None:
    asked.engine.close()
    postgres_server.stop()
    assert asked.app.test_cli_runner().invoke(group, ["reoffer"]).exit_code == 3
