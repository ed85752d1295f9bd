"""The activity log, newest first."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from robusto.flask import texts
from robusto.flask.lists import writes_named
from robusto.flask.web import blueprint, engine, extension, page, page_for
from robusto.watch.activity import Happening

_LIMIT = 50


@blueprint.get("/sistema/atividade")
@page_for("ver")
def activity() -> ResponseReturnValue:
    """What happened to the connection, the breaker and each write."""
    name, number = request.args.get("evento", ""), request.args.get("protocolo", "").strip()
    before = request.args.get("antes", type=int)
    writes = writes_named(number) if number else None
    wrong = bool(number) and writes is None
    found = []
    if not wrong:
        top = None if before is None else min(max(0, before), 1 << 62)
        found = engine().activity.page(name=name, writes=writes, before=top, limit=_LIMIT + 1)
    return page(
        "activity.html",
        found=[(each, _details(each)) for each in found[:_LIMIT]],
        older=found[_LIMIT - 1].n if len(found) > _LIMIT else None,
        paged=before is not None,
        name=name,
        number_given=number,
        wrong_number=wrong,
    )


def _details(happening: Happening) -> list[tuple[str, str]]:
    """The facts that say something to people, with their names."""
    shown = []
    for name, value in happening.facts.items():
        label = texts.fact(name)
        if label is None or value in ("", None, False):
            continue
        text = texts.yes(value) if isinstance(value, bool) else str(value)
        if name == "kind":
            text = extension().kind_name(text)
        elif name == "reason":
            text = f"{texts.reason(text)} ({text})"
        elif name == "state":
            text = texts.breaker(text)
        shown.append((label, text))
    return shown
