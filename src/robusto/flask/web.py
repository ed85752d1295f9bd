"""What every screen needs: the blueprint, who may, how a page is made, what stands in its headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, cast
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, current_app, json, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from robusto.errors import JournalError
from robusto.flask import texts
from robusto.identity import protocol_number

if TYPE_CHECKING:
    from robusto.engine import Engine
    from robusto.flask.extension import Robusto

P = ParamSpec("P")

blueprint = Blueprint(
    "robusto",
    __name__,
    static_folder="static",
    static_url_path="/sistema/static",
    template_folder="templates",
)

_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def extension() -> Robusto:
    """The extension of the app that serves this request."""
    return cast("Robusto", current_app.extensions["robusto"])


def engine() -> Engine:
    """Its engine."""
    return extension().engine


# -- who may -----------------------------------------------------------------------------------------


def may(right: str) -> bool:
    """Whether the caller has this right; for what a page offers."""
    return bool(extension().authorize(right))


def page_for(right: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Decorator of a page that people open: whoever is not logged in is sent to the login."""
    return _guarded(right, _refused_page)


def call_for(right: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Decorator of what programs, scripts and forms call: 401 and 403, never a redirect."""
    return _guarded(right, _refused_call)


def _guarded(
    right: str, refuse: Callable[[bool | None], ResponseReturnValue]
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            allowed = extension().authorize(right)
            return view(*args, **kwargs) if allowed else refuse(allowed)

        return guarded

    return decorate


def _refused_page(allowed: bool | None) -> ResponseReturnValue:
    login = extension().login_url
    if allowed is None and login is not None:
        here = request.full_path if request.query_string else request.path
        mark = "&" if "?" in login else "?"
        return redirect(f"{login}{mark}proximo={quote(request.script_root + here)}", 303)
    return message(401 if allowed is None else 403)


def _refused_call(allowed: bool | None) -> ResponseReturnValue:
    if allowed is None:
        return problem(401, "nao-autenticado", texts.UNAUTHENTICATED)
    return problem(403, "proibido", texts.FORBIDDEN)


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """An answer of the type `application/problem+json` (RFC 9457)."""
    body = {"type": "about:blank", "status": status, "code": code, "title": code, "detail": detail, **more}
    return Response(json.dumps(body), status, mimetype="application/problem+json")


# -- pages -------------------------------------------------------------------------------------------


def page(template: str, status: int = 200, /, **values: Any) -> Response:
    """A page of the console in the app's own frame."""
    now = datetime.now(UTC)
    body = render_template(
        f"robusto/{template}",
        robusto_layout=extension().layout,
        say=texts.say,
        texts=texts,
        number=texts.number,
        protocol=protocol_number,
        kind_name=extension().kind_name,
        now=now,
        moment=lambda at: texts.moment(at, now),
        ago=lambda at: texts.ago((now - at).total_seconds()),
        may=may,
        uuid=UUID,
        kind_options=lambda kinds: [(kind, extension().kind_name(kind)) for kind in kinds],
        reason_options=lambda found: [
            (code, f"{texts.reason(code)} ({texts.number(n)})") for code, n in found
        ],
        **values,
    )
    return make_response(body, status)


def _kind_options(kinds: list[str]) -> list[tuple[str, str]]:
    return [(kind, extension().kind_name(kind)) for kind in kinds]


def _reason_options(found: list[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(code, f"{texts.reason(code)} ({texts.number(n)})") for code, n in found]


def message(status: int, **values: Any) -> Response:
    """A page that says one thing: why the page that was asked for does not come."""
    return page("message.html", status, status=status, **values)


@blueprint.errorhandler(JournalError)
def _no_journal(error: JournalError) -> ResponseReturnValue:
    """What is pending is unknown, and unknown is not zero."""
    if request.endpoint in ("robusto.process", "robusto.panel"):
        return problem(503, "desconhecido", texts.say("message.503.text"))
    return message(503)


@blueprint.after_request
def _headers(response: Response) -> Response:
    """Strict, unless the app has a policy of its own. People's data belongs into no cache."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "robusto.static":
        response.headers["Cache-Control"] = "no-store"
    return response
