"""The shop behind a real gunicorn: `gunicorn tests.support.served_engine:app`, and its client."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, request

from robusto import Config, NotAccepted, Receipt, WriteRejected, WriteState
from robusto.write import Payload
from tests.support.engine_kit import KEY, engine_at, wait_for
from tests.support.running_supervisor import free_port

_ROOT = Path(__file__).resolve().parents[2]


def _app() -> Flask:
    deadline = float(os.environ["SHOP_DEADLINE"])
    engine = engine_at(os.environ["SHOP_DSN"], Path(os.environ["SHOP_FOLDER"]), deadline_seconds=deadline)
    engine.open()  # in the master under --preload, else in each worker
    app = Flask(__name__)

    @app.post("/<kind>")
    def submit(kind: str) -> dict[str, Any]:
        body = request.get_json()
        receipt = engine.submit(kind, body["payload"], key=body["key"], ordering_keys=body["ordering"])
        return {"id": str(receipt.id), "state": receipt.state.value, "duplicate": receipt.duplicate}

    @app.get("/pid")
    def pid() -> str:
        return str(os.getpid())

    return app


class ServedEngine:
    """A gunicorn with so many workers; sends writes over HTTP as an engine would take them."""

    def __init__(self, dsn: str, folder: Path, *arguments: str, deadline: float = 1.0) -> None:
        self.config = Config(conninfo=dsn, journal_path=folder, encryption_key=KEY, deadline_seconds=deadline)
        self.port = free_port()
        shop = {"SHOP_DSN": dsn, "SHOP_FOLDER": str(folder), "SHOP_DEADLINE": str(deadline)}
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "tests.support.served_engine:app",
                "--bind", f"127.0.0.1:{self.port}", "--no-control-socket", "--log-level", "error", *arguments,
            ],
            cwd=_ROOT,
            env={**os.environ, **shop},
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: self.pid() is not None, 30)

    def __enter__(self) -> ServedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def submit(
        self, kind: str, payload: Payload, *, key: str | None = None, ordering_keys: Collection[str] = ()
    ) -> Receipt:
        """As the engine's own. Raises NotAccepted for no answer, or a failure: then nobody knows."""
        assert key is not None
        status, body = self._ask("POST", f"/{kind}", payload, key, ordering_keys) or (599, b"")
        if status >= 500:
            raise NotAccepted(str(status), key=key, maybe_applied=True)
        if status != 200:
            raise WriteRejected(str(status))
        found = json.loads(body)
        return Receipt(key, UUID(found["id"]), WriteState(found["state"]), found["duplicate"])

    def submit_and_hang_up(self, kind: str, payload: Payload, key: str) -> None:
        """Send a write and close the connection without a look at the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", f"/{kind}", *_request(payload, key, ()))
        connection.close()

    def pid(self) -> int | None:
        """Who answers now; None when nobody does."""
        answer = self._ask("GET", "/pid")
        return int(answer[1]) if answer else None

    def _ask(self, method: str, path: str, *what: Any) -> tuple[int, bytes] | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, *(_request(*what) if what else ()))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _request(payload: Payload, key: str, ordering: Collection[str]) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"payload": dict(payload), "key": key, "ordering": list(ordering)}).encode()
    return body, {"Content-Type": "application/json"}


if "SHOP_DSN" in os.environ:
    app = _app()
