"""The command group `robusto`. Exit codes: 0 ok, 1 found a problem, 2 usage, 3 could not look."""

from __future__ import annotations

import getpass
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from typing import Any, NoReturn, ParamSpec
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from robusto.engine import Engine
from robusto.errors import DatabaseUnavailable, JournalError, RobustoError
from robusto.flask.masking import masked
from robusto.journal.entry import Entry
from robusto.quarantine import NotInQuarantine

P = ParamSpec("P")

OK, PROBLEM, COULD_NOT_LOOK = 0, 1, 3

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
reason_option = click.option("--reason", required=True, help="Why; it goes on record.")


@click.group("robusto", short_help="Journal, drain, quarantine and the proof.")
def group() -> None:
    """The engine's commands."""


def _command(function: Callable[P, None]) -> Callable[P, None]:
    """What cannot be looked at ends in one clear line and exit code 3."""

    @with_appcontext
    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except NotInQuarantine as error:
            _stop(PROBLEM, str(error))
        except DatabaseUnavailable as error:
            _stop(COULD_NOT_LOOK, f"PostgreSQL cannot be reached: {error.reason}")
        except (JournalError, RobustoError) as error:
            _stop(COULD_NOT_LOOK, str(error))

    return guarded


def _stop(code: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)


@contextmanager
def _engine() -> Iterator[Engine]:
    engine: Engine = current_app.extensions["robusto"].engine
    engine.open(worker=False)
    try:
        yield engine
    finally:
        engine.close()


def _print(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures, default=str))
    else:
        for name, value in figures.items():
            shown = "\n  ".join(["", *map(str, value)]) if isinstance(value, list) and value else value
            click.echo(f"{name}: {shown if shown not in (None, [], '') else '-'}")


@group.command()
@as_json
@_command
def status(as_json: bool) -> None:
    """The verdict and its figures; exit 1 unless green."""
    with _engine() as engine:
        engine.look()
        found = engine.status()
    _print(found.as_json(), as_json=as_json)
    raise SystemExit(OK if found.level == "green" else PROBLEM)


@group.command()
@as_json
@_command
def drain(as_json: bool) -> None:
    """Send what is pending now, until nothing moves any more; exit 1 when something remains."""
    with _engine() as engine:
        result = engine.drain()
        processed = result.processed
        while result.remaining and result.processed:
            result = engine.drain()
            processed += result.processed
        engine.look()
        connected = engine.status().database_connected
    _print(result.as_json() | {"processed": processed}, as_json=as_json)
    if result.remaining and not connected:
        raise SystemExit(COULD_NOT_LOOK)
    raise SystemExit(PROBLEM if result.remaining or result.quarantined else OK)


@group.command()
@as_json
@_command
def reoffer(as_json: bool) -> None:
    """After PostgreSQL was set back: what it lacks, and let it go; exit 1 when not everything went."""
    with _engine() as engine:
        engine.look()
        before, missing = engine.set_back(), engine.missing()
        engine.reoffer(who=_operator())
        result, left = engine.drain(), engine.set_back()
        while left is not None:
            result, seen = engine.drain(), left
            left = engine.set_back()
            if left == seen and not result.processed:
                break
    since = None if before is None else before.since.isoformat(timespec="seconds")
    figures = {"set_back": before is not None, "since": since, "missing": missing, "done": left is None}
    _print(figures | result.as_json(), as_json=as_json)
    raise SystemExit(OK if left is None and not result.remaining and not result.quarantined else PROBLEM)


@group.command()
@_command
def worker() -> None:
    """Be the worker in a process of its own, until SIGTERM or Ctrl-C."""
    with _engine() as engine:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.stop_working())
        engine.work()


@group.command()
@as_json
@_command
def verify(as_json: bool) -> None:
    """The conservation proof against PostgreSQL; exit 1 when the promise is broken."""
    with _engine() as engine:
        proof = engine.verify()
    _print(proof.as_json(), as_json=as_json)
    raise SystemExit(OK if proof.holds else PROBLEM)


@group.group()
def quarantine() -> None:
    """What PostgreSQL refused and a person has to look at."""


@quarantine.command("list")
@as_json
@_command
def list_(as_json: bool) -> None:
    """Every quarantined write, in order."""
    with _engine() as engine:
        found = [_summary(entry) for entry in engine.quarantine.list()]
    if as_json:
        click.echo(json.dumps(found))
    else:
        for line in found:
            click.echo("  ".join(str(value) for value in line.values()))
    raise SystemExit(PROBLEM if found else OK)


@quarantine.command()
@click.argument("id", type=click.UUID)
@click.option("--reveal", is_flag=True, help="Show values that are masked otherwise.")
@as_json
@_command
def show(id: UUID, reveal: bool, as_json: bool) -> None:
    """One write with its payload."""
    with _engine() as engine:
        opened = engine.quarantine.show(id)
    payload = dict(opened.write.payload) if opened.write is not None else None
    shown = payload if reveal or payload is None else masked(payload)
    _print(_summary(opened.entry) | {"payload": shown}, as_json=as_json)


@quarantine.command()
@click.argument("id", type=click.UUID)
@reason_option
@as_json
@_command
def requeue(id: UUID, reason: str, as_json: bool) -> None:
    """Send it again as it is."""
    with _engine() as engine:
        engine.quarantine.requeue(id, who=_operator(), reason=reason)
    _print({"id": str(id), "state": "pending"}, as_json=as_json)


@quarantine.command()
@click.argument("id", type=click.UUID)
@reason_option
@as_json
@_command
def discard(id: UUID, reason: str, as_json: bool) -> None:
    """Give it up: it will never take effect."""
    with _engine() as engine:
        engine.quarantine.discard(id, who=_operator(), reason=reason)
    _print({"id": str(id), "state": "discarded"}, as_json=as_json)


@group.group()
def journal() -> None:
    """The local journal."""


@journal.command()
@as_json
@_command
def inspect(as_json: bool) -> None:
    """Its counts, and the entries that are not finished."""
    with _engine() as engine:
        counts, entries = engine.inspect()
    figures = asdict(counts) | {"balanced": counts.balanced}
    _print(figures | {"unfinished": [_line(entry) for entry in entries]}, as_json=as_json)


@journal.command("verify")
@as_json
@_command
def verify_journal(as_json: bool) -> None:
    """Read every page and open every seal; exit 1 when something is damaged."""
    with _engine() as engine:
        findings = engine.verify_journal()
    _print({"holds": not findings, "findings": findings}, as_json=as_json)
    raise SystemExit(PROBLEM if findings else OK)


def _line(entry: Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "state": entry.state.value, **_summary(entry)}


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "version": entry.version,
        "reason": entry.reason,
        "accepted_at": entry.accepted_at.isoformat(timespec="seconds"),
    }


def _operator() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
