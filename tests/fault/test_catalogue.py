"""The tables of faults and of earlier defects name only tests that exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.acceptance.legacy_defects import DEFECTS
from tests.fault.catalogue import FAULTS, render

_ROOT = Path(__file__).resolve().parents[2]
_OUTAGES = "tests/fault/test_postgres_faults.py::"


def written(file: str) -> set[str]:
    """The test functions of this file."""
    tree = ast.parse((_ROOT / file).read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f"{file}::{name}" for name in names if name.startswith("test_")}


def test_every_fault_stands_in_the_catalogue_once_with_a_test_or_with_what_is_missing() -> None:
    assert list(FAULTS) == list(range(1, 66))
    assert len({fault.sentence for fault in FAULTS.values()}) == 65
    assert all(fault.tests or fault.command or fault.later for fault in FAULTS.values())


def test_every_defect_of_the_earlier_system_has_a_test_or_says_what_is_missing() -> None:
    assert len({defect.sentence for defect in DEFECTS}) == len(DEFECTS)
    assert all(defect.tests or defect.later for defect in DEFECTS)


def test_every_test_that_is_named_exists_and_every_row_of_the_outages_is_named(
    request: pytest.FixtureRequest,
) -> None:
    """By name in its file; those with parameters also as pytest has collected them, where it did."""
    of_faults = {test for fault in FAULTS.values() for test in fault.tests}
    named = of_faults | {test for defect in DEFECTS for test in defect.tests}
    there = set().union(*(written(file) for file in {test.partition("::")[0] for test in named}))
    assert {test.partition("[")[0] for test in named} - there == set()
    collected = {item.nodeid for item in request.session.items}
    functions = {node.partition("[")[0] for node in collected}
    cases = {test for test in named if "[" in test and test.partition("[")[0] in functions}
    assert cases - collected == set()
    assert {node for node in collected if node.startswith(_OUTAGES)} <= of_faults


def test_the_page_about_the_faults_is_current() -> None:
    page = _ROOT / "docs/reliability.d/faults.md"
    assert page.read_text() == render(), "run: python -m tests.fault.catalogue > docs/reliability.d/faults.md"
