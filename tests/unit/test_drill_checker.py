"""The drill's judge is judged: each thing that must never happen is made up once, and must be found."""

from dataclasses import replace

import pytest

from drill import judging
from drill.checker import Effect, Evidence, Row, Verdict, judge, refused_late
from drill.history import Kind, Outcome, Write
from drill.logs import personal_lines
from drill.plan import cpf, student

ANA, RUI = "id-ana", "id-rui"


def register(nome, student_id, outcome=Outcome.STORED, **more):
    return Write(
        f"key-{nome}", Kind.REGISTER, nome, outcome=outcome, id=student_id, gravacao=f"g-{nome}", **more
    )


def edit(number, outcome=Outcome.STORED, **more):
    key = f"key-edit-{number}"
    return Write(key, Kind.EDIT, "Ana", number, outcome=outcome, id=ANA, gravacao=f"g-{number}", **more)


def inserted(n, nome, student_id):
    return Effect(n, 100 + n, "insert", student_id, nome)


def updated(n, number):
    return Effect(n, 100 + n, "update", ANA, "Ana", f"edit {number}")


def status(accepted, **more):
    figures = {"stored": accepted, "pending": 0, "quarantined": 0, "discarded": 0}
    return {"accepted": accepted, **figures, "database_connected": True, "level": "green", **more}


def told(*writes):
    return {write.receipt: "gravado" for write in writes if write.outcome.accepted}


@pytest.fixture
def sound():
    """Two students, three edits of one of them, all of it as it should be."""
    writes = [register("Ana", ANA), register("Rui", RUI, Outcome.PENDING), edit(1), edit(2), edit(3)]
    effects = [inserted(1, "Ana", ANA), updated(2, 1), inserted(3, "Rui", RUI), updated(4, 2), updated(5, 3)]
    rows = [Row(ANA, "Ana", "edit 3"), Row(RUI, "Rui", None)]
    return Evidence(writes, rows, effects, told(*writes), before=status(10), after=status(15))


def test_a_sound_history_is_ok(sound):
    verdict = judge(sound)
    assert verdict.ok
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order, verdict.equation) == (0, 0, 0, True)


def test_an_accepted_registration_without_a_row_is_lost(sound):
    effects = [effect for effect in sound.effects if effect.nome != "Rui"]
    verdict = judge(replace(sound, effects=effects, rows=sound.rows[:1]))
    assert (verdict.lost, verdict.duplicated, verdict.ok) == (1, 0, False)


def test_a_row_that_came_and_went_is_lost(sound):
    assert judge(replace(sound, rows=sound.rows[:1])).lost == 1


def test_a_student_stored_under_another_id_than_was_answered_is_lost(sound):
    rows = [sound.rows[0], Row("id-other", "Rui", None)]
    effects = [replace(e, id="id-other") if e.nome == "Rui" else e for e in sound.effects]
    assert judge(replace(sound, rows=rows, effects=effects)).lost == 1


def test_an_accepted_edit_without_an_effect_is_lost(sound):
    effects = [effect for effect in sound.effects if effect.observacoes != "edit 2"]
    assert judge(replace(sound, effects=effects)).lost == 1


@pytest.mark.parametrize(
    ("state", "lost"), [("gravado", 1), ("unknown (404)", 1), ("pendente", 0), ("quarentena", 0)]
)
def test_a_write_that_is_kept_elsewhere_is_not_lost_but_is_a_finding(sound, state, lost):
    effects = [effect for effect in sound.effects if effect.nome != "Rui"]
    states = {**sound.states, "g-Rui": state}
    verdict = judge(replace(sound, effects=effects, rows=sound.rows[:1], states=states))
    assert verdict.lost == lost
    assert not verdict.ok


def test_two_students_from_one_key_are_a_duplicate(sound):
    effects = [*sound.effects, inserted(6, "Rui", "id-rui-again")]
    rows = [*sound.rows, Row("id-rui-again", "Rui", None)]
    verdict = judge(replace(sound, effects=effects, rows=rows))
    assert (verdict.lost, verdict.duplicated) == (0, 1)


def test_an_edit_applied_twice_is_a_duplicate_even_if_it_changes_nothing(sound):
    verdict = judge(replace(sound, effects=[*sound.effects, updated(6, 3)]))
    assert (verdict.duplicated, verdict.out_of_order) == (1, 0)


def test_an_unknown_answer_may_or_may_not_have_happened_but_never_twice(sound):
    unknown = register("Eva", "", Outcome.UNKNOWN)
    writes = [*sound.writes, unknown]
    once, twice = inserted(6, "Eva", "id-eva"), inserted(7, "Eva", "id-eva-again")
    rows = [*sound.rows, Row("id-eva", "Eva", None), Row("id-eva-again", "Eva", None)]
    assert judge(replace(sound, writes=writes)).ok
    assert judge(replace(sound, writes=writes, effects=[*sound.effects, once], rows=rows[:-1])).ok
    assert (
        judge(replace(sound, writes=writes, effects=[*sound.effects, once, twice], rows=rows)).duplicated == 1
    )


def test_swapped_edits_are_out_of_order(sound):
    effects = [sound.effects[0], updated(2, 1), inserted(3, "Rui", RUI), updated(4, 3), updated(5, 2)]
    verdict = judge(replace(sound, effects=effects, rows=[Row(ANA, "Ana", "edit 2"), sound.rows[1]]))
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 1)


def test_a_row_that_does_not_hold_the_last_edit_is_found(sound):
    assert judge(replace(sound, rows=[Row(ANA, "Ana", "edit 2"), sound.rows[1]])).lost == 1


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.NOT_KEPT])
def test_an_effect_after_a_refusal_is_found(sound, outcome):
    late = register("Eva", "", outcome)
    effects = [*sound.effects, inserted(6, "Eva", "id-eva")]
    rows = [*sound.rows, Row("id-eva", "Eva", None)]
    assert judge(replace(sound, writes=[*sound.writes, late])).ok
    verdict = judge(replace(sound, writes=[*sound.writes, late], effects=effects, rows=rows))
    assert "effect of a register that was refused: 1" in verdict.notes
    assert not verdict.ok


def test_the_other_body_of_a_reused_key_must_leave_nothing_behind(sound):
    ghost = replace(sound.writes[2], flawed=True, outcome=Outcome.REJECTED)
    assert judge(replace(sound, writes=[*sound.writes, ghost])).ok
    effects = [*sound.effects, Effect(6, 106, "update", ANA, "Ana", "ghost 1")]
    assert not judge(replace(sound, writes=[*sound.writes, ghost], effects=effects)).ok


def test_an_effect_that_nobody_sent_is_found(sound):
    effects = [*sound.effects, inserted(6, "Nobody", "id-nobody")]
    assert not judge(replace(sound, effects=effects)).ok


@pytest.fixture
def doomed(sound):
    """A student whom PostgreSQL refuses at COMMIT is pending, then in quarantine behind a fence."""
    eva = register("Eva", "id-eva", Outcome.PENDING, doomed=True)
    return replace(
        sound,
        writes=[*sound.writes, eva],
        states={**sound.states, "g-Eva": "quarentena"},
        after=status(16, stored=15, quarantined=1, level="yellow"),
        ledger=[("g-Eva", "fenced")],
        quarantined={"g-Eva": True},
    )


def test_a_doomed_write_belongs_into_quarantine(doomed):
    assert judge(doomed).ok


def test_a_doomed_write_that_had_an_effect_is_found(doomed):
    effects = [*doomed.effects, inserted(6, "Eva", "id-eva")]
    rows = [*doomed.rows, Row("id-eva", "Eva", "doomed")]
    verdict = judge(replace(doomed, effects=effects, rows=rows))
    assert (verdict.both, verdict.ok) == (1, False)
    assert "effect of a register that PostgreSQL refused: 1" in verdict.notes


def test_a_doomed_write_that_is_nowhere_is_lost(doomed):
    assert judge(replace(doomed, states=doomed.states | {"g-Eva": "gravado"})).lost == 1


def test_a_write_that_the_ledger_has_applied_and_that_is_in_quarantine_is_found(doomed):
    verdict = judge(replace(doomed, ledger=[("g-Eva", "applied")]))
    assert (verdict.both, verdict.ok) == (1, False)


@pytest.mark.parametrize("ledger", [[], [("g-Rui", "fenced")]])
def test_quarantine_without_a_fence_is_found(doomed, ledger):
    verdict = judge(replace(doomed, ledger=ledger))
    assert "writes in quarantine without a fence: 1" in verdict.notes
    assert not verdict.ok


def test_two_rows_of_one_key_in_the_ledger_are_found(sound):
    assert judge(replace(sound, ledger=[("g-Ana", "applied"), ("g-Rui", "applied")])).ok
    twice = judge(replace(sound, ledger=[("g-Ana", "applied"), ("g-Ana", "applied")]))
    assert "keys with several rows in the ledger: 1" in twice.notes
    assert not twice.ok


def test_a_refusal_counts_as_late_when_an_attempt_before_it_had_no_answer(doomed):
    told = register("Ivo", "", Outcome.REJECTED, doomed=True)
    after_silence = replace(told, unanswered=True)
    assert refused_late(doomed) == 1
    assert refused_late(replace(doomed, quarantined={"g-Eva": False})) == 0
    assert refused_late(replace(doomed, writes=[*doomed.writes, told, after_silence])) == 2


def test_only_a_rival_may_be_quarantined_and_then_without_effect(sound):
    rival = register("Eva", "id-eva", Outcome.PENDING, rival=True)
    after = status(16, stored=15, quarantined=1, level="yellow")
    states = {**sound.states, "g-Eva": "quarentena"}
    aside = {"ledger": [("g-Eva", "fenced")], "quarantined": {"g-Eva": False}}
    apart = replace(sound, writes=[*sound.writes, rival], after=after, states=states, **aside)
    assert judge(apart).ok
    rows = [*sound.rows, Row("id-eva", "Eva", None)]
    both = judge(replace(apart, effects=[*sound.effects, inserted(6, "Eva", "id-eva")], rows=rows))
    assert (both.both, both.ok) == (1, False)
    assert not judge(replace(apart, writes=[*sound.writes, replace(rival, rival=False)])).ok


@pytest.mark.parametrize(
    "after",
    [
        status(15, stored=14),
        {**status(15), "accepted": None},
        status(15, pending=None),
        {},
        status(14),  # true in itself, and one fewer than the clients were promised
        status(16),  # one more than the clients ever sent
    ],
)
def test_a_broken_equation_is_found(sound, after):
    verdict = judge(replace(sound, after=after))
    assert not verdict.equation
    assert not verdict.ok


def test_what_is_pending_after_the_drain_is_found(sound):
    after = status(15, stored=14, pending=1, level="yellow")
    verdict = judge(replace(sound, after=after))
    assert verdict.equation
    assert not verdict.ok


def test_a_red_level_or_an_unseen_server_after_the_healing_is_found(sound):
    assert not judge(replace(sound, after=status(15, level="red"))).ok
    assert not judge(replace(sound, after=status(15, database_connected=False))).ok


@pytest.mark.parametrize(
    "line",
    [
        f"saved {student(123)['nome']}",
        "GET /api/alunos?q=Aluno+Inventado+000123",
        "GET /api/alunos?q=aluno%20inventado%20000123",
        f"Key (telefone)=({student(123)['telefone']}) already exists",
        "telefone +5511900000123",
        f"cpf {cpf(3)}",
    ],
)
def test_a_person_in_a_log_is_found(line):
    assert personal_lines([line, "2026-11-23 19:00:01 lsn 0/1190000012", "pid 11900"]) == 1


def test_a_log_that_names_people_fails_the_run(tmp_path):
    (tmp_path / "app.log").write_text("nothing\n")
    assert judging.read_logs(Verdict(), tmp_path).ok
    (tmp_path / "submitter-9.log").write_text(f"{student(7)['nome']}\nnothing\n{student(8)['telefone']}\n")
    verdict = judging.read_logs(Verdict(), tmp_path)
    assert (verdict.personal, verdict.ok) == (2, False)
    assert verdict.notes == ("submitter-9.log names people in 2 lines",)
