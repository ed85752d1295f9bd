"""`python -m drill`: settings come as options, or in the environment, as from `make drill MINUTES=…`."""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import sys
import time
from collections.abc import Sequence

from drill import record, report
from drill.faults import FAULTS, choose
from drill.plan import Plan
from drill.run import Run

_BROKEN, _INTERRUPTED = 3, 130
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill: 0 only for the verdict ok, 1 for FAILED, 2 for wrong usage, 3 when it could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        minutes = _minutes(given.minutes)
        seed = _seed(given.seed)
        faults = choose(given.faults)
    except ValueError as error:
        print(f"drill: {error}", file=sys.stderr)
        return 2
    for number in _ENDS:
        signal.signal(number, _end)
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        print(line, flush=True)

    tell(f"seed {seed}; again with: make drill SEED={seed}{_also(given)}")
    began, plan = time.monotonic(), Plan.lasting(minutes)
    try:
        verdict, shown = Run(plan, seed, faults, tell).go()
    except KeyboardInterrupt:
        print("drill: interrupted, everything it started has ended", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        print(f"drill: could not run: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"seed {seed}\nverdict FAILED", flush=True)
        return _BROKEN
    tell(f"the run took {time.monotonic() - began:.0f} s")
    for line in report.story(shown):
        tell(line)
    run, last = record.entry(verdict, shown, seed, plan.seconds), report.last_lines(verdict, seed)
    tell(f"report: {record.keep(run, [*said, *last])}")
    if given.record:
        record.append(run)
    print("\n".join(last), flush=True)
    return 0 if verdict.ok else 1


def _parser() -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {fault.kind:<14} {fault.sentence}" for fault in FAULTS)
    parser = argparse.ArgumentParser(
        prog="python -m drill",
        description="Hurts PostgreSQL and the app while clients write, then judges every write.",
        epilog=f"Faults:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, what in (
        ("minutes", "how long the clients write (default: about four)"),
        ("seed", "draws the same faults and the same writes again (default: a new one)"),
        ("faults", "comma list of the kinds below (default: all)"),
        ("record", "anything: put the run among the recorded ones, docs/drill-runs.jsonl"),
    ):
        parser.add_argument(f"--{name}", default=os.environ.get(name.upper(), ""), help=what)
    return parser


def _end(*_: object) -> None:
    # Once is enough: a second Ctrl-C must not disturb the clearing away, which takes bounded time.
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _seed(text: str) -> int:
    if not text.strip():
        return random.SystemRandom().randrange(10**6)
    if not text.strip().isdecimal():
        raise ValueError(f"SEED: {text!r} is not a whole number of 0 or more.")
    return int(text)


def _minutes(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise ValueError(f"MINUTES: {text!r} is not a number of minutes above 0.")
    return minutes


def _also(given: argparse.Namespace) -> str:
    named = (("MINUTES", given.minutes), ("FAULTS", given.faults))
    return "".join(f" {name}={value}" for name, value in named if value.strip())


if __name__ == "__main__":
    sys.exit(main())
