"""The console with PostgreSQL there, refused, frozen, and with the journal gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from robusto.identity import protocol_number
from tests.support.console import Desk, desk
from tests.support.engine_kit import put, wait_for
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]
__all__ = ["desk"]

PAGES = ["/sistema", "/sistema/painel", "/sistema/pendentes", "/sistema/quarentena", "/sistema/atividade"]

Harm = Callable[[PostgresServer], None]


def test_when_all_is_well(desk: Desk) -> None:
    wait_for(lambda: desk.engine.status().stored == 1)
    page = desk.text("/sistema")
    assert "Verde" in page and "Tudo em ordem" in page and "Nada a fazer" in page
    assert "A conta fecha: 1 = 1 + 0 + 0 + 0." in page
    assert "Nada pendente" in page
    assert "Processar Pendentes" in page


@pytest.mark.parametrize("harm", [PostgresServer.stop, PostgresServer.freeze], ids=["refused", "frozen"])
def test_in_an_outage_all_of_it_works(desk: Desk, postgres_server: PostgresServer, harm: Harm) -> None:
    quarantined = desk.quarantined()
    given_up = desk.quarantined(id=901)
    wait_for(lambda: desk.engine.status().database_connected)
    harm(postgres_server)
    wait_for(lambda: desk.engine.status().breaker == "open")
    waiting = desk.submit("put", put(2), "thing:2")
    for path in [*PAGES, f"/sistema/quarentena/{quarantined}", f"/sistema/pendentes/{waiting.id}"]:
        assert desk.get(path).status_code == 200, path
    page = desk.text("/sistema")
    assert "Amarelo" in page and "o banco de dados está fora do ar e tudo é guardado aqui" in page
    assert "Gravações diretas como em" in page
    assert "Esperando o banco 1" in page and "Em quarentena 2" in page

    answer = desk.post("/sistema/processar")
    assert answer.status_code == 303
    assert "O banco de dados está fora do ar. 1 registro em segurança" in desk.text(answer.location)
    result = desk.json("POST", "/sistema/processar-fallback")
    assert (result["processed"], bool(result["errors"])) == (0, True)

    assert desk.post(f"/sistema/quarentena/{given_up}/descartar", motivo="em dobro").status_code == 303
    assert desk.post(f"/sistema/quarentena/{quarantined}/reenviar", motivo="consertado").status_code == 303
    page = desk.text("/sistema")
    assert "Esperando o banco 2" in page and "Em quarentena 0" in page
    assert "Descartados + 1" in page


def test_a_journal_that_is_gone_is_unknown_and_red(desk: Desk, folder: Path) -> None:
    desk.engine._ready().worker.stop()
    shutil.rmtree(folder)
    page = desk.text("/sistema")
    assert "Vermelho" in page and "não se sabe" in page
    assert "A conta não pode ser conferida" in page
    assert "Aceitos 0" not in page
    assert "A fila local não pode ser lida" in desk.text("/sistema/pendentes", 503)
    assert desk.json("GET", "/sistema/status")["pending"] is None


def test_the_result_of_each_record_is_shown(desk: Desk) -> None:
    with desk.outage():
        stored = desk.submit("put", put(2), "thing:2")
        refused = desk.submit("put", put(3, "poison"), "thing:3")
        behind = desk.submit("put", put(4), "thing:3")
        answer = desk.post("/sistema/processar")

    def said() -> str:
        return desk.text(answer.location)

    wait_for(lambda: "1 registro sincronizado; 1 registro ainda pendente; 1 registro em quarentena" in said())
    assert f"{protocol_number(stored.id)} Cadastro Gravado" in said()
    assert f"{protocol_number(refused.id)} Cadastro Em quarentena: Um valor não é permitido" in said()
    assert protocol_number(behind.id) not in said()


@pytest.mark.parametrize("asked", ["x", "-1", "99999999999999999999", "1e3", ""])
def test_a_result_that_nobody_asked_for_is_not_shown(desk: Desk, asked: str) -> None:
    assert "Resultado do processamento" not in desk.text(f"/sistema?processado={asked}")
