"""Health, status and the manual drain over HTTP. All of it answers whatever PostgreSQL does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, current_app, json
from flask.typing import ResponseReturnValue

from robusto.flask import texts

if TYPE_CHECKING:
    from robusto.engine import Engine
    from robusto.flask.extension import Robusto

blueprint = Blueprint("robusto", __name__)


def extension() -> Robusto:
    """The extension of the app that serves this request."""
    return cast("Robusto", current_app.extensions["robusto"])


def _engine() -> Engine:
    return extension().engine


@blueprint.get("/livez")
def livez() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 while a write could be accepted durably, in PostgreSQL or in the journal."""
    problem = _engine().journal_problem()
    if not _engine().has_looked():
        _engine().look()
    degraded = not _engine().status().database_connected
    body = {"status": "unavailable" if problem else "ok", "degraded": degraded}
    return body, 503 if problem else 200


@blueprint.get("/sistema/status")
def status() -> ResponseReturnValue:
    """The verdict and its figures."""
    return _refused("ver") or _engine().status().as_json()


@blueprint.post("/sistema/processar-fallback")
def process() -> ResponseReturnValue:
    """Drain now; answers after two seconds at most."""
    refused = _refused("operar")
    if refused is not None:
        return refused
    result = _engine().drain()
    connected = _engine().status().database_connected or not result.errors
    return result.as_json() | {"message": texts.drained(result, connected=connected)}


def _refused(right: str) -> Response | None:
    allowed = extension().authorize(right)
    if allowed:
        return None
    if allowed is None:
        return problem(401, "nao-autenticado", texts.UNAUTHENTICATED)
    return problem(403, "proibido", texts.FORBIDDEN)


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """An answer of the type `application/problem+json` (RFC 9457)."""
    body = {"type": "about:blank", "status": status, "code": code, "title": code, "detail": detail, **more}
    return Response(json.dumps(body), status, mimetype="application/problem+json")
