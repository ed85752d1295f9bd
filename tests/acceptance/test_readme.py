"""What the README shows is what happens: its snippets are executed here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest

from tests.support.running_supervisor import RunningSupervisor, eventually

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
            return not json.load(response)["degraded"]
    except OSError:
        return False


@pytest.mark.postgres
def test_the_three_steps_of_the_readme_end_with_both_students_stored_once(tmp_path: Path) -> None:
    steps = [text for text in snippets("") if "curl" in text or "flask --app academia" in text]
    supervisor = RunningSupervisor(tmp_path / "var", app="'academia:create_app()'")
    try:
        eventually(lambda: ready(supervisor.port), 60)
        script = "\n".join(steps).replace("http://127.0.0.1:8000", f"http://127.0.0.1:{supervisor.port}")
        script = script.replace(".venv/bin/flask", str(Path(sys.executable).with_name("flask")))
        # A person takes longer than a script: give the drain its second before the proof.
        script = script.replace("robusto verify", "robusto drain; sleep 2; $FLASK robusto verify")
        environ = os.environ | {
            "ACADEMIA_VAR": str(supervisor.var),
            "FLASK": f"{Path(sys.executable).with_name('flask')} --app academia",
        }
        done = subprocess.run(
            ["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=100, check=False
        )
    finally:
        supervisor.end()
    assert '"estado":"gravado"' in done.stdout, done.stdout + done.stderr
    assert '"estado":"pendente"' in done.stdout, done.stdout + done.stderr
    assert "holds: True" in done.stdout, done.stdout + done.stderr
    assert "stored: 2" in done.stdout, done.stdout + done.stderr


@pytest.mark.postgres
def test_the_readmes_python_program_stores_its_order(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id integer PRIMARY KEY, item text)")
        (program,) = snippets("python")
        program = program.replace("postgresql://…", database, 1)
        program = program.replace('journal_path="…"', f"journal_path={str(tmp_path / 'journal')!r}")
        program = program.replace('encryption_key="…"', f"encryption_key={'A' * 43 + '='!r}")
        exec(program, {})  # noqa: S102 - our own README
        assert connection.execute("SELECT id, item FROM orders").fetchall() == [(1, "rope")]
    assert "WriteState.STORED" in capsys.readouterr().out
