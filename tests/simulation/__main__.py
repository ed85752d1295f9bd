"""`python -m tests.simulation`: SEED=n runs one seed with its trace, SEEDS=n so many on two cores.

FIRST=n is the first of them; FAULTS="a, b" leaves only these faults. They are read from the command line
or from the environment.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

from tests.simulation.plan import FAULTS
from tests.simulation.run import Result, attempt, run

#: Processes at most, and seeds after which one is replaced by a fresh one.
_CORES, _FRESH = 2, 500


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every seed holds, 1 when one fails, 2 for wrong usage."""
    given = dict(each.split("=", 1) for each in (arguments or sys.argv[1:]) if "=" in each)
    settings = {
        name: given.get(name, os.environ.get(name, "")) for name in ("SEED", "SEEDS", "FIRST", "FAULTS")
    }
    faults = [each.strip() for each in settings.pop("FAULTS").split(",") if each.strip()] or None
    try:
        seed, seeds, first = (int(settings[name]) if settings[name] else None for name in settings)
    except ValueError:
        print("simulation: SEED, SEEDS and FIRST are whole numbers", file=sys.stderr)
        return 2
    if faults and not set(faults) <= set(FAULTS):
        print(f"simulation: FAULTS are among: {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    if seed is not None:
        return _one(seed, faults)
    begin = random.SystemRandom().randrange(1 << 32) if first is None else first
    return _many(range(begin, begin + (seeds or 1000)), faults)


def _one(seed: int, faults: list[str] | None) -> int:
    result = run(seed, faults, trace=True)
    print("\n".join(result.lines))
    _tell(result)
    return 1 if result.findings else 0


def _many(seeds: range, faults: list[str] | None) -> int:
    print(f"seeds {seeds.start} to {seeds.stop - 1}; again with FIRST={seeds.start}", flush=True)
    began, failed, counts = time.monotonic(), 0, Counter[str]()
    with multiprocessing.get_context("spawn").Pool(_cores(), maxtasksperchild=_FRESH) as pool:
        for done, result in enumerate(pool.imap_unordered(partial(attempt, faults=faults), seeds), 1):
            counts += result.counts
            if result.findings:
                failed += 1
                _tell(result)
            if done % 1000 == 0:
                print(f"{done} seeds, {done / (time.monotonic() - began):.1f} seeds/s", flush=True)
    seconds = time.monotonic() - began
    for name, number in sorted(counts.items()):
        print(f"{number:>12} {name}")
    print(f"{len(seeds)} seeds in {seconds:.0f} s, {len(seeds) / seconds:.1f} seeds/s")
    print(f"failing seeds {failed}")
    return 1 if failed else 0


def _cores() -> int:
    return min(_CORES, os.cpu_count() or 1)


def _tell(result: Result) -> None:
    for finding in result.findings:
        print(f"seed {result.seed}: {finding}")
    verdict = "FAILED" if result.findings else "ok"
    print(f"seed {result.seed}: {verdict}, fingerprint {result.fingerprint:012x}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
