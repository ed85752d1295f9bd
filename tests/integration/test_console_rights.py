"""Who may do what at the console, and that looking changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Response
from werkzeug.routing import Rule

from tests.support.console import ALL, Desk, desk
from tests.support.engine_kit import Shop

pytest_plugins = ["tests.support.engine_fixtures"]
__all__ = ["desk"]

#: Every address of the extension: method, right, and how it refuses who is not logged in.
TABLE = {
    ("GET", "/sistema"): ("ver", "page"),
    ("GET", "/sistema/pendentes"): ("ver", "page"),
    ("GET", "/sistema/pendentes/<uuid:id>"): ("ver", "page"),
    ("GET", "/sistema/quarentena"): ("ver", "page"),
    ("GET", "/sistema/quarentena/<uuid:id>"): ("ver", "page"),
    ("GET", "/sistema/quarentena/<uuid:id>/reenviar"): ("operar", "page"),
    ("GET", "/sistema/quarentena/<uuid:id>/descartar"): ("operar", "page"),
    ("GET", "/sistema/atividade"): ("ver", "page"),
    ("GET", "/sistema/painel"): ("ver", "call"),
    ("GET", "/sistema/status"): ("ver", "call"),
    ("POST", "/sistema/processar"): ("operar", "call"),
    ("POST", "/sistema/processar-fallback"): ("operar", "call"),
    ("POST", "/sistema/reoferecer"): ("operar", "call"),
    ("POST", "/sistema/quarentena/<uuid:id>/dados"): ("revelar", "call"),
    ("POST", "/sistema/quarentena/<uuid:id>/reenviar"): ("operar", "call"),
    ("POST", "/sistema/quarentena/<uuid:id>/descartar"): ("operar", "call"),
    ("GET", "/livez"): (None, "open"),
    ("GET", "/readyz"): (None, "open"),
    ("GET", "/sistema/static/<path:filename>"): (None, "open"),
}


def rules(desk: Desk) -> list[tuple[str, Rule]]:
    found = [rule for rule in desk.app.url_map.iter_rules() if rule.endpoint.startswith("robusto.")]
    return [(method, rule) for rule in found for method in (rule.methods or set()) & {"GET", "POST"}]


def address(rule: str, id: UUID) -> str:
    return rule.replace("<uuid:id>", str(id)).replace("<path:filename>", "robusto.css")


def call(desk: Desk, method: str, path: str) -> Any:
    return desk.call(method, path, motivo="teste")


def state(desk: Desk, shop: Shop) -> tuple[Any, ...]:
    journal = desk.engine._ready().journal
    counts, entries = desk.engine.inspect()
    return counts, [(e.seq, e.state, e.version) for e in entries], journal.acts(), sorted(shop.ledger())


def test_the_table_names_every_address(desk: Desk) -> None:
    assert {(method, rule.rule) for method, rule in rules(desk)} == set(TABLE)


def test_whoever_is_not_logged_in_gets_nowhere(desk: Desk) -> None:
    id = desk.quarantined()
    desk.rights = None
    for (method, rule), (right, manner) in TABLE.items():
        answer = call(desk, method, address(rule, id) + ("?a=b" if method == "GET" else ""))
        if right is None:
            assert answer.status_code == 200
        elif manner == "page":
            assert answer.status_code == 303, rule
            assert answer.location == f"/entrar?proximo={address(rule, id)}%3Fa%3Db"
        else:
            assert answer.status_code == 401, rule
            assert answer.content_type == "application/problem+json"
            assert answer.json["code"] == "nao-autenticado"
    assert desk.engine.quarantine.show(id).entry.version == 1


def test_without_the_right_nothing_is_shown_or_done(desk: Desk, shop: Shop) -> None:
    id = desk.quarantined()
    for (method, rule), (right, manner) in TABLE.items():
        if right is None:
            continue
        desk.rights = ALL - {right}
        before = state(desk, shop)
        answer = call(desk, method, address(rule, id))
        assert answer.status_code == 403, rule
        assert state(desk, shop) == before
        assert "Inventada" not in answer.text
        if manner == "call":
            assert answer.json["code"] == "proibido"
        else:
            assert "Sem permissão" in answer.text


def test_with_its_right_alone_each_address_answers(desk: Desk) -> None:
    for (method, rule), (right, _) in TABLE.items():
        id = desk.quarantined(id=int(uuid4().int % 10**8) + 1000)
        desk.rights = frozenset({right or ""})
        assert call(desk, method, address(rule, id)).status_code in (200, 303), (method, rule)


def test_no_get_changes_anything(desk: Desk, shop: Shop) -> None:
    id = desk.quarantined()
    before = state(desk, shop)
    for method, rule in rules(desk):
        if method == "GET":
            assert desk.get(address(rule.rule, id)).status_code == 200
    assert state(desk, shop) == before


def test_what_somebody_may_not_do_is_not_offered(desk: Desk) -> None:
    id = desk.quarantined()
    desk.rights = frozenset({"ver"})
    assert "<form" not in desk.get(f"/sistema/quarentena/{id}").text
    assert "descartar" not in desk.get(f"/sistema/quarentena/{id}").text
    assert "<form" not in desk.get("/sistema").text


def test_without_a_login_the_page_says_so(desk: Desk) -> None:
    desk.app.extensions["robusto"].login_url = None
    desk.rights = None
    assert "é preciso entrar" in desk.text("/sistema", 401)


def test_every_answer_carries_a_strict_policy(desk: Desk) -> None:
    for method, rule in rules(desk):
        answer = call(desk, method, address(rule.rule, uuid4()))
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, rule
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if "static" not in rule.rule:
            assert answer.headers["Cache-Control"] == "no-store"


def test_a_policy_of_the_app_stands(desk: Desk) -> None:
    @desk.app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response

    assert desk.get("/sistema").headers.getlist("Content-Security-Policy") == ["default-src 'none'"]


@pytest.mark.parametrize(
    "path", ["/sistema", "/sistema/quarentena/{id}", "/sistema/quarentena/{id}/descartar"]
)
def test_every_form_carries_the_token_of_the_app(desk: Desk, path: str) -> None:
    id = desk.quarantined()
    desk.app.jinja_env.globals["csrf_token"] = lambda: "the-token"
    page = desk.get(path.format(id=id)).text
    assert page.count('method="post"') == page.count('name="csrf_token" value="the-token"') > 0
