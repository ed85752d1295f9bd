"""`make mutants`: breaks a copy of the checkout in one way after the other, and shows which test notices.

Exit 0 only when every breakage applies and is caught, and the unbroken copy passes the same tests.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DoesNotApply, Mutant

_CHECKOUT = Path(__file__).resolve().parents[2]
_AT_ONCE = 2
_SECONDS = 600
_PASSED, _FAILED = 0, 1
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_IMPORTED = "import sys, robusto; sys.exit(0 if robusto.__file__.startswith(sys.argv[1]) else 1)"


@dataclass(frozen=True)
class Result:
    """What became of one breakage; `caught_by` names the test, "" when none noticed."""

    mutant: Mutant
    caught_by: str
    remark: str = ""


def main(names: Sequence[str]) -> int:
    """All breakages, or those that are named."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        print(f"mutants: no such breakage: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with tempfile.TemporaryDirectory(prefix="robusto-mutants-") as folder:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for n in range(_AT_ONCE):
            copies.put(_copy(Path(folder) / str(n)))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            if not _sound(copies, chosen):
                return 1
            results = [_told(result) for result in pool.map(lambda mutant: _try(copies, mutant), chosen)]
    survived = [result for result in results if not result.caught_by]
    print(f"{len(results)} mutants, {len(results) - len(survived)} caught, {len(survived)} not caught")
    return 1 if survived else 0


def _copy(to: Path) -> Path:
    """What git knows of, as it lies here now, without its pictures."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=_CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (_CHECKOUT / name).is_file() and not name.endswith(".png"):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_CHECKOUT / name, to / name)
    subprocess.run([sys.executable, "-c", _IMPORTED, str(to)], env=_environ(to), cwd=to, check=True)
    return to


def _sound(copies: queue.SimpleQueue[Path], chosen: Sequence[Mutant]) -> bool:
    """Whether the unbroken source passes: a test that fails anyway catches nothing."""
    copy = copies.get()
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    code, output = _run(copy, tests, "-n", "2")
    copies.put(copy)
    if code != _PASSED:
        print(f"the tests do not pass on the unbroken source:\n{output[-3000:]}")
    return code == _PASSED


def _try(copies: queue.SimpleQueue[Path], mutant: Mutant) -> Result:
    copy = copies.get()
    try:
        before = mutant.apply(copy)
    except DoesNotApply as error:
        copies.put(copy)
        return Result(mutant, "", f"does not apply: {error}")
    try:
        code, output = _run(copy, mutant.tests, "-x")
    finally:
        mutant.undo(copy, before)
        copies.put(copy)
    failed = _FAILURE.search(output)
    if code == _FAILED and failed is not None:
        return Result(mutant, failed.group(1))
    if code == _PASSED:
        return Result(mutant, "", "the tests pass")
    return Result(mutant, "", f"the tests did not run (pytest said {code}): {output[-500:]}")


def _run(copy: Path, tests: Sequence[str], *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=_environ(copy), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"no end within {_SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def _environ(copy: Path) -> dict[str, str]:
    """The copy's packages come before the installed ones, in child processes too."""
    return {**os.environ, "PYTHONPATH": f"{copy / 'src'}{os.pathsep}{copy}", "PYTHONDONTWRITEBYTECODE": "1"}


def _told(result: Result) -> Result:
    verdict = f"caught by {result.caught_by}" if result.caught_by else f"NOT CAUGHT: {result.remark}"
    print(f"{result.mutant.name:<24} {result.mutant.sentence}\n{'':<24} {verdict}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
