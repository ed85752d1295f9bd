"""A plain Flask app with the extension, as anybody would have it, and a person who looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from robusto import Engine, Receipt
from robusto.flask import Robusto
from tests.support.engine_kit import Shop, engine_at, put, wait_for

ALL = frozenset({"ver", "operar", "corrigir", "revelar", "administrar"})

#: Somebody's data, none of which may be seen masked.
PERSON = {
    "id": 900,
    "value": "poison",
    "code": "<script>alert('x')</script>",
    "cpf": "529.982.247-25",
    "responsavel": {"nome": "Maria Inventada"},
}


class Desk:
    """The console in a browser without scripts. `rights` is None while nobody is logged in."""

    def __init__(self, app: Flask, engine: Engine) -> None:
        self.app = app
        self.engine = engine
        self.rights: frozenset[str] | None = ALL

    def authorize(self, right: str) -> bool | None:
        return None if self.rights is None else right in self.rights

    def call(self, method: str, path: str, **form: str) -> TestResponse:
        answer = self.app.test_client().open(path, method=method, data=form if method == "POST" else None)
        answer.get_data()
        answer.close()
        return answer

    def get(self, path: str) -> TestResponse:
        return self.call("GET", path)

    def post(self, path: str, **form: str) -> TestResponse:
        return self.call("POST", path, **form)

    def json(self, method: str, path: str) -> dict[str, Any]:
        answer = self.call(method, path).get_json()
        assert isinstance(answer, dict)
        return answer

    def text(self, path: str, status: int = 200) -> str:
        """What a person reads on a page."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return readable(answer)

    def quarantined(self, **payload: Any) -> UUID:
        """A write that PostgreSQL refused once it was accepted."""
        with self.outage():
            person = PERSON | payload
            receipt = self.submit("put", person, f"thing:{person['id']}")
        wait_for(lambda: any(each.id == receipt.id for each in self.engine.quarantine.list()))
        return receipt.id

    def submit(self, kind: str, payload: Any, *keys: str) -> Receipt:
        return self.engine.submit(kind, payload, ordering_keys=keys, author="recepcionista")

    def outage(self) -> Any:
        return _Outage(self)


class _Outage:
    """This engine finds PostgreSQL away, although it is there; as after a restart of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> None:
        self._desk.engine._ready().breaker.failed("cannot_connect")

    def __exit__(self, *_: object) -> None:
        self._desk.engine._ready().worker.wake()


def readable(answer: TestResponse) -> str:
    """The text of a page in one line, without its markup."""
    body = re.sub(r"(?s)<head>.*?</head>|<[^>]*>", " ", answer.text)
    return re.sub(r"\s+", " ", unescape(body))


@pytest.fixture
def desk(shop: Shop, folder: Path) -> Iterator[Desk]:
    """Import it where it is used, with the fixtures of the engine's tests."""
    with desk_of(engine_at(shop.dsn, folder)) as desk:
        desk.engine.submit("put", put(1))
        yield desk


@contextmanager
def desk_of(engine: Engine) -> Iterator[Desk]:
    """The console of an engine that is not open yet."""
    app = Flask("plain")
    app.testing = True
    desk = Desk(app, engine)
    extension = Robusto(
        engine=engine,
        authorize=lambda right: desk.authorize(right),
        who=lambda: "operadora",
        login_url="/entrar",
        kind_names={"put": "Cadastro"},
    )
    extension.init_app(app)
    try:
        wait_for(lambda: engine.status().level == "green")
        yield desk
    finally:
        engine.close()
