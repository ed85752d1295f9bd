"""`python -m tests.sweep.million`: what a backlog of a million costs, beside one of a hundred (fault 44).

Fills a journal through its own appends, then lets a process that may have 300 MB of memory append,
look, and drain into a real PostgreSQL. Prints the times and the memory; exits 1 when it was too much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from robusto.clock import SystemClock
from robusto.deadline import Deadline
from tests.support.engine_journals import a_draft, journal_at
from tests.support.engine_kit import Shop, engine_at, note
from tests.support.postgres_server import PostgresServer

_MEMORY = 300 << 20
_NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
_GROUP = 5_000
#: How often each thing is done, and for how many seconds is drained.
_TIMES, _DRAIN_SECONDS = 100, 6.0


def fill(folder: Path, entries: int) -> None:
    """As many pending entries; ten of them share an ordering key each."""
    journal = journal_at(folder)
    for begin in range(0, entries, _GROUP):
        drafts = [
            a_draft(payload=note(f"entry {n}"), ordering=((n // 10).to_bytes(16, "big"),))
            for n in range(begin, min(entries, begin + _GROUP))
        ]
        journal._append_group(partial(list, drafts), Deadline.after(SystemClock(), 600))
        if sys.stderr.isatty():
            print(f"\r{begin + len(drafts)} of {entries}", end="", file=sys.stderr, flush=True)
    journal.close()


def measure(folder: Path, dsn: str) -> dict[str, float]:
    """Part of a child whose memory is limited: median times in milliseconds, and its peak in megabytes."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    found: dict[str, float] = {}
    engine = engine_at(_NOWHERE, folder)
    found["open ms"] = _milliseconds(lambda: engine.open(worker=False), 1)
    with engine:
        assert engine._parts is not None
        journal = engine._parts.journal
        found["first append ms"] = _milliseconds(lambda: engine.submit("note", note("first")), 1)
        found["append ms"] = _milliseconds(lambda: engine.submit("note", note("later")))
        found["counts ms"] = _milliseconds(journal.counts)
        found["oldest ms"] = _milliseconds(journal.oldest_pending)
        found["held reasons ms"] = _milliseconds(lambda: journal.reasons("held"))
        found["status ms"] = _milliseconds(engine.status)
        found["first page ms"] = _milliseconds(lambda: journal.page("unfinished"))
        middle = journal.counts().last_seq // 2
        found["page in the middle ms"] = _milliseconds(lambda: journal.page("pending", after_seq=middle))
        found["page of a kind ms"] = _milliseconds(lambda: journal.page("pending", kind="other"))
        found["queue ms"] = _milliseconds(lambda: list(journal.queue_from(1, 200)))
    with engine_at(dsn, folder).open(worker=False) as engine:
        began = time.monotonic()
        drained = 0
        while time.monotonic() - began < _DRAIN_SECONDS and engine.inspect()[0].unfinished:
            drained += engine.drain().processed
        found["drained a second"] = drained / (time.monotonic() - began)
    found["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _milliseconds(act: Callable[[], Any], times: int = _TIMES) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.million", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "DSN"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        print(json.dumps(measure(Path(chosen.measure[0]), chosen.measure[1])), flush=True)
        os._exit(0)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        server = PostgresServer(Path(scratch))
        server.start()
        try:
            for entries in (100, chosen.entries):
                with server.new_database() as dsn:
                    results[entries] = _of(entries, Path(scratch), dsn)
        finally:
            server.stop()
    few, many = results.values()
    print(f"{'pending':<24}{100:>12}{chosen.entries:>12,}")
    for name in few:
        print(f"{name:<24}{few[name]:>12.2f}{many[name]:>12.2f}")
    print(f"peak memory {many['peak MB']:.0f} MB of {_MEMORY >> 20}")
    return 0


def _of(entries: int, scratch: Path, dsn: str) -> dict[str, float]:
    Shop(dsn)
    folder = scratch / f"journal{entries}"
    began = time.monotonic()
    fill(folder, entries)
    size = sum(path.stat().st_size for path in folder.iterdir()) / (1 << 20)
    print(f"{entries:,} entries, filled in {time.monotonic() - began:.0f} s, {size:.0f} MB", flush=True)
    command = [sys.executable, "-m", "tests.sweep.million", "--measure", str(folder), dsn]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return {"filled in s": time.monotonic() - began} | measured


if __name__ == "__main__":
    sys.exit(main())
