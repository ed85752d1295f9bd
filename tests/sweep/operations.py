"""The operations that are swept: how the folder is prepared, and what is then done on the faulty disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from robusto.errors import JournalError
from robusto.journal.entry import EntryState
from tests.support.engine_journals import break_file
from tests.sweep import draining
from tests.sweep.actor import KEYS, Actor

Part = Callable[[Actor], object]


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` is done on a good disk, `act` on the faulty one, both in processes that do not close.

    `checkpoint_pages`: pages of WAL after which it is folded back. `beside`: another process uses the
    journal after the fault, and has it open already ("before") or opens it then ("after"). `keys`:
    those that `act` is done with. `drains`: into a PostgreSQL.
    """

    name: str
    prepare: Part | None
    act: Part
    checkpoint_pages: int | None = None
    beside: str = ""
    keys: tuple[bytes, ...] = KEYS
    drains: bool = False


def _some(actor: Actor) -> None:
    """Entries in every state."""
    actor.open()
    for n in range(6):
        actor.append(f"old{n}")
    actor.take_token()
    actor.mark("old0", EntryState.APPLIED)
    actor.mark("old1", EntryState.HELD)
    actor.mark("old2", EntryState.QUARANTINED)
    actor.mark("old3", EntryState.QUARANTINED)
    actor.discard("old3")
    actor.taint("old4")


def _several(actor: Actor) -> None:
    _some(actor)
    actor.append("refused")
    actor.append("large", 20_000)
    actor.mark("refused", EntryState.QUARANTINED)
    actor.mark("old4", EntryState.APPLIED)


def _fold_soon(actor: Actor) -> None:
    """The WAL is just short of being folded back."""
    _some(actor)
    actor.append("large", 20_000)


def _append(actor: Actor) -> None:
    for n in range(3):
        actor.append(f"new{n}")


def _append_in_threads(actor: Actor) -> None:
    def both(n: int) -> None:
        actor.append(f"new{n}a")
        actor.append(f"new{n}b")

    threads = [threading.Thread(target=both, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _append_again(actor: Actor) -> None:
    """As a person does who was told that the result is unknown."""
    for _ in range(4):
        if actor.append("new0"):
            break
    actor.append("new1")


def _mark(actor: Actor) -> None:
    actor.take_token()
    actor.mark("old5", EntryState.APPLIED)
    actor.append("new0")
    actor.mark("new0", EntryState.APPLIED)


def _set_aside(actor: Actor) -> None:
    actor.take_token()
    actor.taint("old5")
    actor.mark("old5", EntryState.HELD)
    actor.note("old5")
    actor.mark("old5", EntryState.QUARANTINED)


def _decide(actor: Actor) -> None:
    actor.requeue("old2")
    actor.discard("refused")


def _renew(actor: Actor) -> None:
    with suppress(JournalError):
        break_file(actor.journal)
    actor.append("new0")
    actor.append("new1")


def _put_back(actor: Actor) -> None:
    actor.take_token()
    actor.put_back("old0")
    actor.put_back("old4")
    actor.mark("old0", EntryState.APPLIED)


def _prune(actor: Actor) -> None:
    actor.prune()
    actor.append("new0")
    actor.prune()


def _large(actor: Actor) -> None:
    for n in range(4):
        actor.append(f"new{n}", 9_000)
    actor.mark("new0", EntryState.APPLIED)


def _close(actor: Actor) -> None:
    actor.append("new0")
    actor.journal.close()


def _opened(act: Part) -> Part:
    def part(actor: Actor) -> None:
        actor.open()
        act(actor)

    return part


def _health(actor: Actor) -> None:
    actor.check_health()
    actor.append("new0")


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("append", _some, _opened(_append)),
        Operation("append-threads", _some, _opened(_append_in_threads)),
        Operation("append-again", _some, _opened(_append_again)),
        Operation("append-beside", _some, _opened(_append), beside="before"),
        Operation("append-restart", _some, _opened(_append), beside="after"),
        Operation("mark", _some, _opened(_mark)),
        Operation("set-aside", _some, _opened(_set_aside)),
        Operation("decide", _several, _opened(_decide)),
        Operation("put-back", _several, _opened(_put_back)),
        Operation("generation", _several, _opened(_renew)),
        Operation("generation-beside", _several, _opened(_renew), beside="before"),
        Operation("generation-restart", _several, _opened(_renew), beside="after"),
        Operation("checkpoint", _fold_soon, _opened(_large), checkpoint_pages=24),
        Operation("prune", _several, _opened(_prune)),
        Operation("first-start", None, _opened(_append)),
        Operation("first-start-beside", None, _opened(_append), beside="before"),
        Operation("first-start-restart", None, _opened(_append), beside="after"),
        Operation("start", _some, _opened(lambda actor: None)),
        Operation("rotate", _some, _opened(_append), keys=(b"n" * 32, *KEYS)),
        Operation("health", _some, _opened(_health)),
        Operation("close", _some, _opened(_close)),
        Operation("drain", draining.prepare, draining.act, drains=True),
    )
}
