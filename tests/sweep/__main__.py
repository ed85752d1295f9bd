"""`python -m tests.sweep`: prints the table and `losing points 0`; exits 1 otherwise."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.faulty_disk import FAULTS
from tests.support.postgres_server import PostgresServer
from tests.sweep.draining import Business
from tests.sweep.operations import OPERATIONS
from tests.sweep.points import NEVER, Sweeper

#: What `--quick` takes of the whole, and how many points of each.
_QUICK, _QUICK_POINTS = ("error", "kill", "power-4096"), 5
#: Where memory serves as the disk: a flush costs nothing there, and the power is cut by drawing.
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Job:
    """All points of one operation and one fault."""

    operation: str
    fault: str
    most: int | None
    step: int | None
    scratch: Path
    dsn: str


@dataclass(slots=True)
class Result:
    """How many points there were, and what was wrong at which."""

    job: Job
    points: int = 0
    losing: dict[int, list[str]] = field(default_factory=dict)


def _do(job: Job) -> Result:
    name = f"{job.operation}-{job.fault}"
    operation, result = OPERATIONS[job.operation], Result(job)
    business = Business(job.dsn) if operation.drains else None
    sweeper = Sweeper(operation, job.scratch / name, business)
    for nth in _steps(sweeper, job):
        outcome = sweeper.point(FAULTS[job.fault], nth)
        result.points += 1
        if outcome.problems:
            result.losing[nth] = outcome.problems
        if not outcome.reached:
            break
    shutil.rmtree(job.scratch / name, ignore_errors=True)
    return result


def _steps(sweeper: Sweeper, job: Job) -> Iterable[int]:
    """Every step, as far as they go; or some of them, evenly."""
    if job.step is not None:
        return [job.step]
    if job.most is None:
        return range(1, NEVER)
    steps = sweeper.point(FAULTS[job.fault], NEVER).steps or 1
    return sorted({1 + n * steps // job.most for n in range(job.most)})


def _print(results: list[Result], seconds: float) -> int:
    faults = list(dict.fromkeys(result.job.fault for result in results))
    rows: dict[str, dict[str, Result]] = {}
    for result in results:
        rows.setdefault(result.job.operation, {})[result.job.fault] = result
    print("\npoints" + " " * 14 + "".join(f"{fault:>14}" for fault in faults))
    for operation, row in rows.items():
        print(f"{operation:<20}" + "".join(f"{row[fault].points:>14}" for fault in faults))
    losing = sum(len(result.losing) for result in results)
    print(f"\npoints {sum(result.points for result in results)} in {seconds:.0f} s")
    print(f"losing points {losing}")
    return 1 if losing else 0


def _tell(result: Result) -> None:
    for nth, found in result.losing.items():
        print(f"{result.job.operation} {result.job.fault} step {nth}:", flush=True)
        for each in found[:5]:
            print("    " + each.strip().replace("\n", "\n    "))


@contextmanager
def _databases(scratch: Path, number: int) -> Iterator[list[str]]:
    """So many, on a server of their own."""
    if not number:
        yield []
        return
    server = PostgresServer(scratch)
    server.start()
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(server.new_database()) for _ in range(number)]
    finally:
        server.stop()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--operation", nargs="*", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--fault", nargs="*", choices=FAULTS)
    parser.add_argument("--step", type=int, help="this step only: a point that was told as losing, again")
    parser.add_argument("--points", type=int, help="so many of each operation and fault, evenly; else all")
    parser.add_argument("--quick", action="store_true", help="few faults, few points")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--database", default="", help="for what drains: one process at a time")
    chosen = parser.parse_args(arguments)
    faults = chosen.fault or (_QUICK if chosen.quick else list(FAULTS))
    began = time.monotonic()
    memory = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, tempfile.TemporaryDirectory() as disk:
        most = chosen.points or (_QUICK_POINTS if chosen.quick else None)
        jobs = [
            Job(operation, fault, most, chosen.step, Path(folder), chosen.database)
            for operation in chosen.operation
            for fault in faults
        ]
        without = [job for job in jobs if OPERATIONS[job.operation].drains and not job.dsn]
        with _databases(Path(disk), len(without)) as made:
            own = dict(zip(without, made, strict=True))
            jobs = [replace(job, dsn=own.get(job, job.dsn)) for job in jobs]
            results = _all(jobs, 1 if chosen.database else chosen.jobs)
    return _print(results, time.monotonic() - began)


def _all(jobs: list[Job], processes: int) -> list[Result]:
    results = []
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        for result in pool.map(_do, jobs):
            _tell(result)
            results.append(result)
            if sys.stderr.isatty():
                print(f"\r{len(results)} of {len(jobs)}", end="", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
