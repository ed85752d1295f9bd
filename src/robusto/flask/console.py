"""The first page: the verdict, the figures, and the button."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from robusto.errors import JournalError
from robusto.flask import texts
from robusto.flask.web import blueprint, call_for, engine, extension, page, page_for
from robusto.journal.entry import Entry, EntryState
from robusto.watch.status import Status

#: Records whose result is listed, and seconds after the click that still belong to it.
_SHOWN, _WINDOW = 200, 60.0
#: Seconds after which the ledger's count is shown with its time although PostgreSQL answers.
_OLD = 90.0


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of the records since somebody asked for it."""

    at: datetime
    entries: list[Entry]
    sentence: str

    @property
    def more(self) -> bool:
        return len(self.entries) == _SHOWN


@blueprint.get("/sistema")
@page_for("ver")
def console() -> ResponseReturnValue:
    """The console."""
    return _render("console.html")


@blueprint.get("/sistema/painel")
@call_for("ver")
def panel() -> ResponseReturnValue:
    """What of the console changes by itself, for the script that keeps it up to date."""
    return _render("panel.html")


@blueprint.post("/sistema/processar")
@call_for("operar")
def process_form() -> ResponseReturnValue:
    """The button: drain now, then show what became of each record."""
    asked = math.floor(datetime.now(UTC).timestamp() * 1000)
    engine().drain()
    return redirect(url_for("robusto.console", processado=asked, _anchor="resultado"), 303)


@blueprint.post("/sistema/reoferecer")
@call_for("operar")
def reoffer_form() -> ResponseReturnValue:
    """An operator says that a PostgreSQL that was set back gets what it lacks."""
    engine().reoffer(who=extension().who())
    return redirect(url_for("robusto.console"), 303)


def _render(template: str) -> ResponseReturnValue:
    status = engine().status()
    return page(
        template,
        status=status,
        held_reasons=_held_reasons(status),
        result=_result(status),
        books_as_of=_as_of(status),
    )


def _held_reasons(status: Status) -> list[tuple[str, int]]:
    try:
        return engine().backlog.reasons("held") if status.held else []
    except JournalError:
        return []


def _as_of(status: Status) -> datetime | None:
    """When the ledger's figure was counted, where that has to be said."""
    counted = status.stored_as_of
    if counted is None or not status.database_connected:
        return counted
    return counted if (datetime.now(UTC) - counted).total_seconds() > _OLD else None


def _result(status: Status) -> _Result | None:
    asked = request.args.get("processado", type=int)
    if asked is None or asked <= 0:
        return None
    try:
        at = datetime.fromtimestamp(asked / 1000, UTC)
        entries = engine().backlog.changed_since(at, _SHOWN)
    except (OverflowError, OSError, ValueError, JournalError):
        return None
    entries = [each for each in entries if each.changed_at - at <= timedelta(seconds=_WINDOW)]
    applied = sum(each.state is EntryState.APPLIED for each in entries)
    refused = sum(each.state is EntryState.QUARANTINED for each in entries)
    return _Result(at, entries, texts.processed(applied, refused, status))
