"""Health, status and the manual drain over HTTP. All of it answers whatever PostgreSQL does."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from robusto.flask import texts
from robusto.flask.web import blueprint, call_for, engine


@blueprint.get("/livez")
def livez() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 while a write could be accepted durably, in PostgreSQL or in the journal."""
    problem = engine().journal_problem()
    if not engine().has_looked():
        engine().look()
    degraded = not engine().status().database_connected
    body = {"status": "unavailable" if problem else "ok", "degraded": degraded}
    return body, 503 if problem else 200


@blueprint.get("/sistema/status")
@call_for("ver")
def status() -> ResponseReturnValue:
    """The verdict and its figures."""
    return engine().status().as_json()


@blueprint.post("/sistema/processar-fallback")
@call_for("operar")
def process() -> ResponseReturnValue:
    """Drain now; answers after two seconds at most."""
    result = engine().drain()
    connected = engine().status().database_connected or not result.errors
    return result.as_json() | {"message": texts.drained(result, connected=connected)}
