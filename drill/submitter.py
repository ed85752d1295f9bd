"""`python -m drill.submitter`: a writer in a process of its own, which opens the engine and submits to it.

It is told what to do by lines on its standard input (`stop`, `healed`), ends when that ends, and keeps its
history in a file, so that whoever is started after its `kill -9` goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from academia.motor import montar_motor
from academia.settings import Settings
from drill.clients import Orders, Writer
from drill.engine_api import EngineApi
from drill.kept import KeptHistory
from drill.plan import Plan

STOP, HEALED = "stop", "healed"
DONE = "done"
"""A file beside the history: the plan is worked through."""


def main() -> int:
    """Write, wait for the healing, clear up."""
    parser = argparse.ArgumentParser(prog="python -m drill.submitter")
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--began", type=float, required=True, help="the plan, by the monotonic clock")
    parser.add_argument("--history", type=Path, required=True)
    given = parser.parse_args()
    orders = Orders(lambda: False)
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    history = KeptHistory(given.history)
    # The app's workers drain: this process only hands over.
    with montar_motor(Settings.load()).open(worker=False) as engine:
        caller = EngineApi(engine, history)
        past = list(history.writes)
        writer = Writer(given.number, Plan(given.seconds), given.seed, history, caller, orders, past)
        writer.work(given.began)
        given.history.with_suffix(f".{DONE}").touch()
        orders.healed.wait()
        writer.clear_up()
    return 0


def _listen(orders: Orders) -> None:
    for line in sys.stdin:
        orders.stop.set()
        if line.strip() == HEALED:
            orders.healed.set()
    if not orders.healed.is_set():
        os._exit(1)  # the drill is gone


if __name__ == "__main__":
    sys.exit(main())
