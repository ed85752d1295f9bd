"""What a run has to prove, what it prints, and what it leaves behind."""

import json
from dataclasses import replace

import pytest

from drill import plan, record, table
from drill.checker import Verdict
from drill.faults import FAULTS, choose
from drill.history import Answer, History, Kind, Outcome, Write
from drill.leaks import Held, leaks
from drill.plan import WRITERS, Demands, Plan, Step
from drill.proxy import Commits
from drill.report import Figures, figures, last_lines, story

ENOUGH = Figures(
    operations=50_000,
    faults={f"kind {n}": 5 for n in range(20)},
    uncertain=200,
    absorbed=100,
    refused_late=50,
    direct=0.3,
)


def test_the_last_lines_are_those_that_programs_read():
    assert last_lines(Verdict(), 7)[-5:] == [
        "lost 0",
        "duplicated 0",
        "out of order 0",
        "seed 7",
        "verdict ok",
    ]
    failed = last_lines(Verdict(lost=1, notes=("something",)), 7)
    assert failed[0] == "finding: something"
    assert failed[-5:] == ["lost 1", "duplicated 0", "out of order 0", "seed 7", "verdict FAILED"]


@pytest.mark.parametrize(
    "found", [{"lost": 1}, {"duplicated": 1}, {"out_of_order": 1}, {"both": 1}, {"personal": 1},
              {"equation": False}, {"notes": ("x",)}],
)  # fmt: skip
def test_each_kind_of_violation_fails_the_run(found):
    assert Verdict().ok
    assert last_lines(Verdict(**found), 1)[-1] == "verdict FAILED"


def test_twenty_minutes_owe_all_of_the_proof():
    assert Plan.lasting(20).demands == Demands()
    assert ENOUGH.too_weak(Demands()) == []


@pytest.mark.parametrize(
    "weaker",
    [
        {"operations": 49_999},
        {"faults": {f"kind {n}": 5 for n in range(19)} | {"kind 19": 4}},
        {"faults": {f"kind {n}": 10 for n in range(19)}},
        {"uncertain": 199},
        {"absorbed": 99},
        {"refused_late": 49},
        {"direct": 0.29},
    ],
)
def test_a_run_that_proves_too_little_says_so(weaker):
    assert len(replace(ENOUGH, **weaker).too_weak(Demands())) == 1


def test_a_shorter_run_owes_its_share_and_the_same_share_of_direct_writes():
    demands = Plan.lasting(10).demands
    assert (demands.operations, demands.faults, demands.uncertain) == (25_000, 50, 100)
    assert demands.direct == Demands().direct
    assert Plan().demands.kinds < Plan().demands.faults


def test_figures_count_what_the_writers_did_and_not_what_the_judge_asked():
    history = History()
    for outcome in (Outcome.STORED, Outcome.PENDING, Outcome.UNKNOWN):
        write = history.begin(Write("key", Kind.REGISTER, "Ana", outcome=outcome, first=outcome))
        history.settled(write)
        history.answered(Answer(Kind.REGISTER, 0.0, 1.5, 201, outcome))
    history.answered(Answer(Kind.STATE, 0.0, 9.0, 200))
    commits = Commits(seen=9, cut_before=1, cut_after=2, in_flight=3)
    shown = figures(history, [], commits, 4, (Held(), Held()))
    assert (shown.operations, shown.direct, shown.uncertain, shown.unanswered) == (3, 0.5, 6, 1)
    assert shown.refused_late == 4
    assert "operations: 3" in story(shown)


def test_what_grows_with_every_fault_is_a_leak():
    before = Held(6, 10, 4, 60)
    assert leaks(before, Held(6, 12, 6, 70)) == []
    assert leaks(before, Held(6, 10, 4, 160, {"journal.db": 100})) == [
        "descriptors grew from 60 to 160",
        "more descriptors: 100 journal.db",
    ]
    assert len(leaks(before, Held(60, 100, 40, 600))) == 5


def test_a_run_is_kept_as_text_and_json_and_recorded_on_request(tmp_path):
    run = record.entry(Verdict(duplicated=2), ENOUGH, 7, 1200.0)
    text = record.keep(run, ["one", "two"], tmp_path / "build")
    assert text.read_text() == "one\ntwo\n"
    assert json.loads(text.with_suffix(".json").read_text()) == run
    runs = tmp_path / "runs.jsonl"
    assert table.read(runs) == []
    record.append(run, runs)
    record.append(run | {"seed": 8}, runs)
    assert [each["seed"] for each in table.read(runs)] == [7, 8]


def test_the_table_has_the_last_twenty_runs_newest_first():
    run = record.entry(Verdict(), ENOUGH, 0, 1200.0)
    lines = table.render([run | {"seed": seed} for seed in range(25)]).splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| 2")]
    assert [int(row[3]) for row in rows] == list(range(24, 4, -1))
    assert rows[0][4:6] == ["50,000", "100 (20)"]
    assert {line.count("|") for line in lines if line.startswith("|")} == {len(rows[0]) + 1}


def test_the_plan_holds_every_student_once_and_all_edits():
    usual = Plan()
    steps = [step for writer in range(WRITERS) for _, step in usual.steps(writer, seed=1)]
    numbers = sorted(number for writer in range(WRITERS) for number in usual.numbers(writer))
    assert (steps.count(Step.REGISTER), steps.count(Step.EDIT)) == (usual.registers, usual.edits)
    assert numbers == list(range(usual.registers))
    assert len({plan.student(number)["nome"] for number in numbers}) == usual.registers


def test_nobody_edits_a_student_who_may_be_refused():
    assert not any(plan.rival(number) or plan.doomed(number) for number in range(plan.EDITED))
    assert not any(plan.rival(plan.extra(n)) or plan.doomed(plan.extra(n)) for n in range(200))
    assert all(plan.doomed(plan.extra_doomed(n)) for n in range(200))
    assert sum(plan.doomed(number) for number in range(1000)) == 60


def test_a_longer_run_keeps_the_pace():
    usual, longer = Plan(), Plan.lasting(10)
    assert longer.registers / longer.seconds == pytest.approx(usual.registers / usual.seconds, rel=0.01)


def test_there_are_more_kinds_of_faults_than_a_full_run_owes():
    assert len({fault.kind for fault in FAULTS}) == len(FAULTS) > Demands().kinds


def test_an_unknown_fault_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"no such fault: earthquake\. There are: kill, .*worker-kill"):
        choose("kill, earthquake")
    assert [fault.kind for fault in choose("refuse,kill")] == ["refuse", "kill"]
    assert choose("") == FAULTS
