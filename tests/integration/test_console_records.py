"""Lists, one record, and what an operator decides about it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from robusto.identity import protocol_number
from tests.support.console import PERSON, Desk, desk, readable
from tests.support.engine_kit import Shop, note, put, wait_for

pytest_plugins = ["tests.support.engine_fixtures"]
__all__ = ["desk"]

VALUES = ["529.982.247-25", "Maria", "Inventada", "poison", "recepcionista", "alert("]


def test_what_waits_is_told_apart(desk: Desk) -> None:
    quarantined = desk.quarantined()
    parked = desk.submit("set", {"id": 900, "value": "a"}, "thing:900")
    held = desk.submit("bug", note("x"), "thing:2")
    wait_for(lambda: desk.engine.status().held == 1)
    wait_for(lambda: desk.engine.status().parked == 1)
    with desk.outage():
        waiting = desk.submit("put", put(5), "thing:5")
        page = desk.text("/sistema/pendentes")
    assert f"{protocol_number(waiting.id)} Cadastro Esperando o banco" in page
    behind = f"Esperando a vez Espera por {protocol_number(quarantined)}."
    assert f"{protocol_number(parked.id)} set {behind}" in page
    assert f"{protocol_number(held.id)} bug Separados Falha do sistema" in page
    assert "handler:ZeroDivisionError" in page
    assert protocol_number(quarantined) in desk.text("/sistema/quarentena")
    assert desk.json("GET", "/sistema/status")["parked"] == 1
    front = desk.text("/sistema")
    assert "Vermelho" in front and "só seguem depois de um conserto" in front
    assert "1 × Falha do sistema" in front


def test_the_lists_are_filtered(desk: Desk) -> None:
    quarantined = desk.quarantined()
    parked = desk.submit("set", {"id": 900, "value": "a"}, "thing:900")
    held = desk.submit("bug", note("x"), "thing:2")
    wait_for(lambda: desk.engine.status().held == 1 and desk.engine.status().parked == 1)

    def shown(address: str) -> set[str]:
        page = desk.text(address).partition("mais novo")[2]
        every = {"quarantined": quarantined, "parked": parked.id, "held": held.id}
        return {name for name, id in every.items() if f"{protocol_number(id)} " in page.replace(".", "")}

    assert shown("/sistema/pendentes?situacao=separado") == {"held"}
    assert "parked" in shown("/sistema/pendentes?situacao=vez")
    assert "held" not in shown("/sistema/pendentes?situacao=vez")
    assert shown("/sistema/pendentes?tipo=bug") == {"held"}
    assert shown(f"/sistema/pendentes?protocolo={protocol_number(held.id).lower()}") == {"held"}
    assert shown(f"/sistema/pendentes?protocolo={held.id}") == {"held"}
    assert shown("/sistema/quarentena?motivo=23514") == {"quarantined"}
    assert shown("/sistema/quarentena?motivo=23505") == set()
    assert shown("/sistema/quarentena?tipo=put") == {"quarantined"}
    assert shown("/sistema/quarentena?tipo=set") == set()


def test_a_number_that_is_elsewhere_wrong_or_unknown_is_said(desk: Desk) -> None:
    id = desk.quarantined()
    assert "não está nesta lista. Situação: Em quarentena" in desk.text(f"/sistema/pendentes?protocolo={id}")
    assert "não confere" in desk.text("/sistema/pendentes?protocolo=AP-0000-0000-0001")
    assert "não confere" in desk.text("/sistema/atividade?protocolo=nada")
    assert "Nenhum registro com este número" in desk.text(f"/sistema/quarentena?protocolo={uuid4()}")


def test_a_long_list_is_paged_without_gaps(desk: Desk) -> None:
    with desk.outage():
        sent = [desk.submit("bug", note(str(n)), "one").id for n in range(120)]
    wait_for(lambda: desk.engine.status().held == 1)
    seen: list[str] = []
    address: str | None = "/sistema/pendentes"
    while address is not None:
        page = desk.get(address).text
        seen += [each.partition(">")[2].partition("<")[0] for each in page.split('class="number"')[1:]]
        _, _, rest = page.partition("/sistema/pendentes?depois=")
        address = f"/sistema/pendentes?depois={rest.partition(chr(34))[0]}" if rest else None
    assert seen == [protocol_number(id) for id in sent]


@pytest.mark.parametrize("asked", ["x", "-5", "9" * 30, "1.5", ""])
def test_a_page_that_is_not_there_is_no_failure(desk: Desk, asked: str) -> None:
    for page in ("pendentes?depois", "quarentena?depois", "atividade?antes"):
        assert desk.get(f"/sistema/{page}={asked}").status_code == 200


def test_a_record_is_shown_masked_with_its_reason(desk: Desk) -> None:
    id = desk.quarantined()
    parked = desk.submit("set", {"id": 900, "value": "a"}, "thing:900")
    wait_for(lambda: desk.engine.status().parked == 1)
    page = desk.text(f"/sistema/quarentena/{id}")
    assert protocol_number(id) in page and str(id) in page
    assert "Um valor não é permitido (código 23514 )" in page
    assert "Confira os dados" in page
    assert f"Quem espera por este registro {protocol_number(parked.id)}" in page
    assert "responsavel.nome M•" in page
    assert "Espera a vez, depois de" in desk.text(f"/sistema/pendentes/{parked.id}")


def test_nowhere_is_a_value_shown_unmasked(desk: Desk) -> None:
    id = desk.quarantined()
    for page in (
        "",
        "/pendentes",
        "/quarentena",
        "/atividade",
        f"/quarentena/{id}",
        f"/quarentena/{id}/reenviar",
    ):
        text = desk.get(f"/sistema{page}").text
        assert not [value for value in VALUES if value in text], page


def test_revealing_shows_and_is_on_record(desk: Desk) -> None:
    id = desk.quarantined()
    answer = desk.post(f"/sistema/quarentena/{id}/dados")
    assert "529.982.247-25" in answer.text and "Inventada" in answer.text
    assert "<script>alert" not in answer.text  # what somebody typed is text
    assert str(PERSON["code"]) in readable(answer)
    assert "operadora Dados vistos" in desk.text(f"/sistema/quarentena/{id}")


def test_a_record_is_sent_again(desk: Desk, shop: Shop) -> None:
    id = desk.quarantined()
    assert "volta à fila" in desk.text(f"/sistema/quarentena/{id}/reenviar")
    shop.run("ALTER TABLE things DROP CONSTRAINT no_poison")
    answer = desk.post(f"/sistema/quarentena/{id}/reenviar", motivo="regra corrigida")
    assert (answer.status_code, answer.location) == (303, f"/sistema/quarentena/{id}")
    wait_for(lambda: "poison" in shop.history())
    wait_for(lambda: "Está no banco de dados" in desk.text(answer.location))
    page = desk.text(answer.location)
    assert "operadora Reenviado: voltou à fila regra corrigida" in page
    assert "2ª versão" in page
    wait_for(lambda: "Reenviado por uma pessoa" in _log(desk, id))
    assert "quem: operadora" in _log(desk, id)


def test_a_record_is_given_up_and_lets_the_next_go_on(desk: Desk, shop: Shop) -> None:
    id = desk.quarantined()
    desk.submit("put", put(900, "good"), "thing:900")
    wait_for(lambda: desk.engine.status().parked == 1)
    assert "1 registro espera por este" in desk.text(f"/sistema/quarentena/{id}/descartar")
    assert desk.post(f"/sistema/quarentena/{id}/descartar", motivo="em dobro").status_code == 303
    wait_for(lambda: shop.history()[-1] == "good")
    assert "Uma pessoa decidiu descartá-lo" in desk.text(f"/sistema/quarentena/{id}")
    assert "Descartados + 1" in desk.text("/sistema")


@pytest.mark.parametrize("verb", ["reenviar", "descartar"])
def test_nothing_is_decided_without_a_reason(desk: Desk, verb: str) -> None:
    id = desk.quarantined()
    answer = desk.post(f"/sistema/quarentena/{id}/{verb}", motivo="  ")
    assert answer.status_code == 422
    assert "Escreva o motivo" in readable(answer) and 'aria-invalid="true"' in answer.text
    assert desk.engine.quarantine.show(id).entry.version == 1


@pytest.mark.parametrize("verb", ["reenviar", "descartar", "dados"])
def test_a_decision_that_was_taken_is_not_taken_again(desk: Desk, verb: str) -> None:
    id = desk.quarantined()
    desk.post(f"/sistema/quarentena/{id}/descartar", motivo="uma vez")
    answer = desk.post(f"/sistema/quarentena/{id}/{verb}", motivo="outra vez")
    assert answer.status_code == 409
    assert "já não está em quarentena" in readable(answer)
    assert desk.post(f"/sistema/quarentena/{uuid4()}/{verb}", motivo="x").status_code == 404
    assert desk.get(f"/sistema/quarentena/{uuid4()}").status_code == 404


def test_the_activity_log_is_filtered_and_paged(desk: Desk) -> None:
    id = desk.quarantined()
    wait_for(lambda: desk.engine.status().database_connected)
    for n in range(60):
        desk.submit("put", put(100 + n))
    wait_for(lambda: "Posto em quarentena" in _log(desk, id))
    wait_for(lambda: len(desk.engine.activity.page(limit=200)) >= 62)
    assert "Gravado diretamente" not in _log(desk, id)
    page = desk.get("/sistema/atividade?evento=write_stored")
    assert page.text.count("<tr>") == 1 + 50
    assert "motivo: " not in readable(page)
    older = page.text.partition("antes=")[2].partition('"')[0].replace("&amp;", "&")
    assert "Mais novos" in desk.text(f"/sistema/atividade?antes={older}")


def _log(desk: Desk, id: object) -> str:
    return desk.text(f"/sistema/atividade?protocolo={id}").partition("Detalhes")[2]
