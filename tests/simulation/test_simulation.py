"""A few seeds of the simulation in every run of the tests; `make simulate` runs them by the thousand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.__main__ import main
from tests.simulation.breakages import BREAKAGES, broken
from tests.simulation.run import Result, run

#: Seeds that are run every time: the first ones, and those that have found something.
FIXED = [*range(1, 13), 902, 10204, 20035]
FRESH = 5

#: For each breakage of the engine: faults and parts of the plan that bring it out, among so many seeds.
BROUGHT_OUT: dict[str, tuple[tuple[str, ...] | None, dict[str, Any], int]] = {
    "no fence": (("refused for a while", "outage", "entry damaged", "commit late"), {}, 150),
    "lease without token": (
        ("set back while the drainer sleeps",),
        {
            "hosts": 1, "nodes": 2, "clients": 3, "writes": 8, "lease": 3.0, "pace": 3.0, "pause": 2.0,
            "orderings": 2, "operators": False, "poison": 0.0, "parents": 0.0,
        },
        200,
    ),
    "backlog cached": (None, {}, 60),
}  # fmt: skip


def test_the_fixed_seeds_and_a_few_fresh_ones_hold(record_property: Callable[[str, object], None]) -> None:
    first = random.SystemRandom().randrange(1 << 32)
    fresh = range(first, first + FRESH)
    record_property("measured", f"simulation: fixed seeds, and fresh ones {fresh.start} to {fresh.stop - 1}")
    failed = [_told(result) for seed in [*FIXED, *fresh] if (result := run(seed)).findings]
    assert not failed, "\n".join(failed)


def _told(result: Result) -> str:
    return f"python -m tests.simulation SEED={result.seed}: {'; '.join(result.findings)}"


@pytest.mark.parametrize("name", BROUGHT_OUT)
def test_an_engine_that_is_broken_on_purpose_is_found_out(name: str) -> None:
    faults, fixed, seeds = BROUGHT_OUT[name]
    with broken(name):
        assert any(run(seed, faults, **fixed).findings for seed in range(1, seeds + 1))


def test_a_seed_does_the_same_again() -> None:
    one, again = run(3, trace=True), run(3, trace=True)
    assert one.lines == again.lines
    assert one.fingerprint == again.fingerprint


def test_one_seed_prints_its_trace_and_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["SEED=5", "FAULTS=outage"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("the troubles are over" in line for line in lines)
    assert lines[-1].startswith("seed 5: ok")


@pytest.mark.parametrize("wrong", ["SEEDS=many", "FAULTS=earthquake"])
def test_wrong_words_are_told(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([wrong]) == 2
    assert "simulation:" in capsys.readouterr().err


def test_every_breakage_has_a_name_that_is_known() -> None:
    assert set(BROUGHT_OUT) <= set(BREAKAGES)
