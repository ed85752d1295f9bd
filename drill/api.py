"""The app's HTTP interface as a stranger uses it: the standard library, a token, a timeout of our own."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from drill.history import Answer, History, Kind, Outcome

# Far above the product's own deadline of 2 s: who waits this long was left alone.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Reply:
    """An answer; `status` 0 means that none came."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    sent_at: float = 0.0
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """The problem's code, where the answer is a problem."""
        return str(self.body.get("code", ""))


class Api:
    """One caller of the app. A connection per request: a kept one that ends looks like a lost answer."""

    def __init__(self, port: int, history: History, token: str = "") -> None:
        self._port = port
        self._history = history
        self._headers = {"Connection": "close", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def register(self, body: dict[str, Any], key: str) -> Reply:
        """POST a student."""
        return self.call("POST", "/api/alunos", body, key)

    def edit(self, student: str, body: dict[str, Any], key: str) -> Reply:
        """PATCH a student."""
        return self.call("PATCH", f"/api/alunos/{student}", body, key)

    def search(self, nome: str) -> Reply:
        """Look a student up by name."""
        return self._read(Kind.SEARCH, "/api/alunos?" + urlencode({"q": nome, "limite": 5}))

    def status(self) -> Reply:
        """The console's figures."""
        return self._read(Kind.STATUS, "/sistema/status")

    def state(self, receipt: str) -> Reply:
        """What became of one write."""
        return self._read(Kind.STATE, f"/api/gravacoes/{receipt}")

    def drain(self) -> Reply:
        """Press the button."""
        return self.call("POST", "/sistema/processar-fallback", {})

    def ready(self) -> Reply:
        """Whether a write could be accepted."""
        return self.call("GET", "/readyz")

    def note(self, kind: Kind, reply: Reply, outcome: Outcome | None = None, key: str = "") -> None:
        """Put an answer into the history."""
        self._history.answered(Answer(kind, reply.sent_at, reply.seconds, reply.status, outcome, key))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> Reply:
        """One request; never raises for a broken connection, a timeout or an answer that is no JSON."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        sent_at = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            status, raw = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            status, raw = 0, b""
        finally:
            connection.close()
        return Reply(status, _object(raw), sent_at, time.monotonic() - sent_at)

    def _read(self, kind: Kind, path: str) -> Reply:
        reply = self.call("GET", path)
        self.note(kind, reply)
        return reply


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
