"""One record: its story, its data (masked), who waits behind it, and the operator's verbs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from robusto.errors import EntryChanged, JournalUnreadable
from robusto.flask import texts
from robusto.flask.masking import flat, masked
from robusto.flask.web import blueprint, call_for, engine, extension, message, page, page_for
from robusto.journal.entry import Entry, EntryState, Opened
from robusto.quarantine import NotInQuarantine

#: Records that are named of those that wait behind one, and the longest reason that is kept.
_FOLLOWERS, _REASON = 20, 500


@blueprint.get("/sistema/pendentes/<uuid:id>", endpoint="pending_entry")
@blueprint.get("/sistema/quarentena/<uuid:id>", endpoint="quarantine_entry")
@page_for("ver")
def show(id: UUID) -> ResponseReturnValue:
    """One record, whatever its state has become."""
    return _show(id, reveal=False)


@blueprint.post("/sistema/quarentena/<uuid:id>/dados")
@call_for("revelar")
def reveal(id: UUID) -> ResponseReturnValue:
    """The same with its data unmasked, which goes on record."""
    try:
        engine().quarantine.reveal(id, who=extension().who())
    except NotInQuarantine:
        return _decided(id)
    return _show(id, reveal=True)


def _show(id: UUID, *, reveal: bool) -> ResponseReturnValue:
    opened = engine().backlog.show(id)
    if opened is None:
        return message(404)
    followers = _followers(opened.entry)
    return page(
        "entry.html",
        entry=opened.entry,
        state=_state(opened.entry),
        blocker=_blocker(opened.entry),
        followers=engine().backlog.entries(followers[:_FOLLOWERS]),
        more_followers=max(0, len(followers) - _FOLLOWERS),
        acts=engine().backlog.acts_of(id),
        revealed=reveal,
        **_content(opened, reveal=reveal),
    )


def _content(opened: Opened, *, reveal: bool) -> dict[str, Any]:
    """The fields and the author as this caller may see them; None when the seal does not open."""
    write = opened.write
    if write is None:
        return {"fields": None, "author": None}
    payload = dict(write.payload) if reveal else masked(write.payload)
    return {"fields": list(flat(payload)), "author": write.author if reveal else masked(write.author)}


def _state(entry: Entry) -> str:
    """The entry's state for people: a pending one may be parked."""
    parked = entry.state is EntryState.PENDING and entry.seq in engine().backlog.parked().behind
    return "parked" if parked else entry.state.value


def _blocker(entry: Entry) -> Entry | None:
    root = engine().backlog.parked().behind.get(entry.seq)
    found = [] if root is None else engine().backlog.entries([root])
    return found[0] if found else None


def _followers(entry: Entry) -> list[int]:
    return engine().backlog.parked().waiting_for(entry.seq)


# -- verbs: each a page that asks, with a reason, and a POST that does ---------------------------------


@blueprint.get("/sistema/quarentena/<uuid:id>/reenviar")
@page_for("operar")
def ask_requeue(id: UUID) -> ResponseReturnValue:
    """Before it is sent again."""
    return _ask("requeue", id)


@blueprint.get("/sistema/quarentena/<uuid:id>/descartar")
@page_for("operar")
def ask_discard(id: UUID) -> ResponseReturnValue:
    """Before it is given up."""
    return _ask("discard", id)


@blueprint.post("/sistema/quarentena/<uuid:id>/reenviar")
@call_for("operar")
def requeue(id: UUID) -> ResponseReturnValue:
    """Send it again as it is."""
    return _act("requeue", id)


@blueprint.post("/sistema/quarentena/<uuid:id>/descartar")
@call_for("operar")
def discard(id: UUID) -> ResponseReturnValue:
    """Give it up."""
    return _act("discard", id)


def _ask(verb: str, id: UUID, *, status: int = 200, error: str = "", typed: str = "") -> ResponseReturnValue:
    entry = engine().backlog.find(id)
    if entry is None or entry.state is not EntryState.QUARANTINED:
        return _decided(id)
    followers = len(_followers(entry))
    return page("verb.html", status, verb=verb, entry=entry, followers=followers, error=error, typed=typed)


def _act(verb: str, id: UUID) -> ResponseReturnValue:
    reason = request.form.get("motivo", "").strip()[:_REASON]
    if not reason:
        return _ask(verb, id, status=422, error=texts.say("verb.reason.missing"))
    act = engine().quarantine.requeue if verb == "requeue" else engine().quarantine.discard
    try:
        act(id, who=extension().who(), reason=reason)
    except (NotInQuarantine, EntryChanged):
        return _decided(id)
    except JournalUnreadable:
        return message(422, id=id)
    return redirect(url_for("robusto.quarantine_entry", id=id), 303)


def _decided(id: UUID) -> ResponseReturnValue:
    """Somebody else was faster, or there is no such record."""
    return message(404) if engine().backlog.find(id) is None else message(409, id=id)
