"""What a writer in a process of its own remembers outlives its `kill -9`, and its successor goes on there."""

import json
import subprocess
import sys

import pytest

from drill.api import Reply
from drill.clients import Orders, Writer
from drill.history import Answer, Kind, Outcome, Write
from drill.kept import KeptHistory, load
from drill.plan import CLIENTS, DOOMED, Plan

KILLED = """
import os, signal, sys
from pathlib import Path
from drill.history import Kind, Outcome, Write
from drill.kept import KeptHistory
history = KeptHistory(Path(sys.argv[1]))
told, silent = (history.begin(Write(key, Kind.REGISTER, key)) for key in ("told", "silent"))
history.sends(told)
told.outcome = told.first = Outcome.STORED
history.settled(told)
history.sends(silent)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_attempt_without_an_answer_is_remembered_as_unknown_after_a_kill(tmp_path):
    file = tmp_path / "history"
    done = subprocess.run([sys.executable, "-c", KILLED, file])
    assert done.returncode == -9
    told, silent = load(file).writes
    assert (told.outcome, told.first, told.unanswered) == (Outcome.STORED, Outcome.STORED, False)
    assert (silent.outcome, silent.first, silent.attempts) == (Outcome.UNKNOWN, None, 1)
    assert silent.unanswered


def test_not_kept_is_unknown_again_once_it_was_sent_again(tmp_path):
    history = KeptHistory(tmp_path / "history")
    write = history.begin(Write("key", Kind.EDIT, "Ana", 3))
    history.sends(write)
    write.outcome = Outcome.NOT_KEPT
    history.settled(write)
    assert load(tmp_path / "history").writes[0].outcome is Outcome.NOT_KEPT
    history.sends(write)
    assert load(tmp_path / "history").writes[0].outcome is Outcome.UNKNOWN


def test_everything_that_was_noted_is_there_after_a_restart(tmp_path):
    history = KeptHistory(tmp_path / "history")
    write = history.begin(Write("key", Kind.EDIT, "Ana", 3, doomed=True))
    history.sends(write)
    write.outcome, write.gravacao = Outcome.PENDING, "g-1"
    history.settled(write)
    history.answered(Answer(Kind.EDIT, 1.0, 0.5, 202, Outcome.PENDING, "key"))
    history.absorbs()
    history.breach("an answer that must not be")
    history.count("something")
    again = load(tmp_path / "history")
    assert again.writes == history.writes
    assert again.answers == history.answers
    assert (again.breaches, again.counted, again.absorbed) == (history.breaches, history.counted, 1)
    assert (again.stored_directly(), again.share_stored_directly()) == (0, 0.0)


def test_a_line_that_was_cut_off_is_ignored_and_written_over(tmp_path):
    file = tmp_path / "history"
    KeptHistory(file).begin(Write("key", Kind.EDIT, "Ana"))
    with file.open("ab") as raw:
        raw.write(b'["begin",{"ke')
    KeptHistory(file).count("after it")
    assert [json.loads(line)[0] for line in file.read_text().splitlines()] == ["begin", "count"]


class Product:
    """Takes every write that is sound, and remembers it."""

    def __init__(self, limit):
        self.taken = {}
        self._calls = 0
        self._limit = limit

    def register(self, body, key):
        if "telefone" not in body or body.get("observacoes") == DOOMED:
            return Reply(422, {"code": "dados-invalidos"})
        return self._take(key, body, 201, {"id": f"id-{key}"})

    def edit(self, student, body, key):
        return self._take(key, body, 200, {"id": student})

    def note(self, kind, reply, outcome=None, key=""):
        pass

    def _take(self, key, sent, status, body):
        again = key in self.taken
        if self.taken.setdefault(key, sent) != sent:
            return Reply(422, {"code": "chave-reutilizada"})
        self._calls += 1
        if self._calls == self._limit:
            raise Killed
        told = {"protocolo": f"p-{key}", "gravacao": f"g-{key}", "estado": "gravado", "duplicado": again}
        return Reply(status, body | told)


class Killed(BaseException):
    """The end of the process."""


def writer(history, product):
    program = Plan(4.0)
    past = list(history.writes)
    return program, Writer(CLIENTS, program, 1, history, product, Orders(lambda: False), past)


@pytest.mark.parametrize("limit", [1, 7, 12])
def test_a_writer_that_was_killed_goes_on_where_it_was(tmp_path, limit):
    product = Product(limit)
    program, first = writer(KeptHistory(tmp_path / "history"), product)
    with pytest.raises(Killed):
        first.work(-1e9)
    history = KeptHistory(tmp_path / "history")
    _, second = writer(history, product)
    second.work(-1e9)
    second.clear_up()
    sound = [write for write in history.writes if not write.flawed]
    assert all(w.outcome is (Outcome.REJECTED if w.doomed else Outcome.STORED) for w in sound)
    registered = sorted(int(w.key.split("-")[3]) for w in sound if w.kind is Kind.REGISTER)
    assert registered == program.numbers(CLIENTS)
    assert len({write.key for write in sound}) == len(sound)
    assert history.breaches == {}
