"""After the last fault: drain, wait for the thawed, ask, read, and judge."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from drill import logs, witness
from drill.api import Api, Reply
from drill.app import App
from drill.checker import Evidence, Verdict, judge, judge_equation
from drill.faults import Scene
from drill.history import History
from drill.inspection import inspect
from drill.processes import wait_until

_DRAIN_SECONDS, _DRAIN_PAUSE, _THAW_SECONDS, _ANSWER_SECONDS = 120.0, 2.0, 30.0, 20.0
_FIGURES_SECONDS = 90.0  # what was stored directly is counted once a minute at least
_ASKED = 2000  # receipts that are looked up over HTTP too
_QUIET_SECONDS = 5.0  # longer than the product's deadline: whoever comes late has come by then


def drain(api: Api, tell: Callable[[str], None]) -> bool:
    """Press the button until nothing is pending; False when it does not get less any more."""
    end, least = time.monotonic() + _DRAIN_SECONDS, math.inf
    while time.monotonic() < end:
        reply, status = api.drain(), api.status().body
        pending = status.get("pending")
        if reply.status == 200 and reply.body.get("remaining") == 0 and pending == 0:
            return True
        if isinstance(pending, int) and pending < least:
            end, least = time.monotonic() + _DRAIN_SECONDS, pending
            tell(f"draining: {pending} pending; {status.get('reason')}")
        time.sleep(_DRAIN_PAUSE)
    return False


def wait_for_zombies(scene: Scene, tell: Callable[[str], None]) -> None:
    """Until every backend that was ever frozen is idle or gone, and then a while."""
    address, began = scene.server.address(), time.monotonic()
    gone = wait_until(lambda: not witness.still_at_work(address, scene.thawed), _THAW_SECONDS, step=0.2)
    waited = f"waited {time.monotonic() - began:.1f} s for {len(scene.thawed)} thawed backends"
    tell(waited if gone else f"{waited}, {witness.still_at_work(address, scene.thawed)} are still at work")
    time.sleep(_QUIET_SECONDS)


def gather(api: Api, scene: Scene, history: History, before: dict[str, Any]) -> Evidence:
    """Ask for every receipt, then read the rows, the witness and the ledger."""
    receipts = sorted(
        {w.receipt for w in history.writes if w.outcome.accepted and not w.flawed and w.receipt}
    )
    inspection = inspect(scene.app, receipts)
    told = ask_states(api, scene.random.sample(receipts, min(_ASKED, len(receipts))))
    for receipt, state in told.items():
        if inspection.states.get(receipt) != state:
            history.breach(f"the app tells {state}, the engine {inspection.states.get(receipt)}")
    rows, effects, ledger = witness.read(scene.server.address())
    evidence = Evidence(
        tuple(history.writes), rows, effects, inspection.states, ledger, inspection.quarantined, before
    )
    end = time.monotonic() + _FIGURES_SECONDS
    while True:
        # The product may look twice before it calls PostgreSQL well, and counts only now and then.
        evidence = replace(evidence, after=_answer(api.status).body)
        if judge_equation(evidence) == (True, []) or time.monotonic() > end:
            return evidence
        time.sleep(0.5)


def ask_states(api: Api, receipts: Iterable[str]) -> dict[str, str]:
    """The state of each receipt, as the app tells it over HTTP."""

    def ask(receipt: str) -> tuple[str, str]:
        reply = _answer(lambda: api.state(receipt))
        return receipt, str(reply.body.get("estado") or f"unknown ({reply.status} {reply.code})")

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(pool.map(ask, receipts))


def verdict(evidence: Evidence, history: History, app: App) -> Verdict:
    """The checker's word, the product's own proof, and what the clients objected to on the way."""
    found = judge(evidence)
    code, _ = app.command("robusto", "verify", "--json")
    if code != 0:
        found = found.noting(f"`robusto verify` exited {code}")
    return found.noting(*(f"{text}: {count}" for text, count in sorted(history.breaches.items())))


def read_logs(verdict: Verdict, folder: Path) -> Verdict:
    """The verdict with what the logs tell of people, once all processes have said their last."""
    found = logs.search(folder)
    named = (f"{log.name} names people in {count} lines" for log, count in found.items())
    return replace(verdict, personal=sum(found.values())).noting(*named)


def _answer(ask: Callable[[], Reply]) -> Reply:
    """Ask until there is an answer that is not about being busy."""
    reply = ask()
    end = time.monotonic() + _ANSWER_SECONDS
    while reply.status in (0, 429, 503) and time.monotonic() < end:
        time.sleep(0.2)
        reply = ask()
    return reply
