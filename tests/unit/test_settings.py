"""The settings: defaults, secrets made once, wrong values refused in one line."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from academia.made_once import keep, made_once
from academia.settings import Settings, SettingsError

KEY = base64.urlsafe_b64encode(bytes(32)).decode()


def load(var: Path, **environ: str) -> Settings:
    return Settings.load({"ACADEMIA_VAR": str(var), **environ})


def test_without_any_setting_everything_has_its_default(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.bind, settings.port, settings.web_concurrency) == ("127.0.0.1", 8000, 4)
    assert (settings.deadline_seconds, settings.retry_attempts) == (2.0, 3)
    assert settings.postgres_restart_seconds == 5.0
    assert settings.log_level == "INFO"
    assert settings.journal_path == tmp_path / "journal"
    assert settings.embedded


def test_the_default_folder_lies_in_the_checkout_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("academia.settings.__file__", str(tmp_path / "copia/src/academia/settings.py"))
    assert Settings.load({}).var == tmp_path / "copia" / "var"


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="", DATABASE_URL=" ").port == 8000


def test_a_second_look_sees_the_same_settings(tmp_path: Path) -> None:
    assert load(tmp_path) == load(tmp_path)


def test_secrets_are_nobody_elses_to_read(tmp_path: Path) -> None:
    load(tmp_path / "var")
    folder = tmp_path / "var" / "segredos"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name for file in folder.iterdir()} == {"chave-diario", "secret-key", "postgres-senha"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_secrets_do_not_show_in_a_traceback(tmp_path: Path) -> None:
    settings = load(tmp_path)
    for secret in (settings.secret_key, settings.encryption_key, settings.postgres_password):
        assert secret not in repr(settings)


def test_four_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    script = (
        "from dataclasses import astuple; from academia.settings import Settings;"
        "print(astuple(Settings.load()))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script], env={"ACADEMIA_VAR": str(tmp_path / "v")}, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1
    assert all(process.returncode == 0 for process in started)


def test_the_first_value_that_was_kept_counts(tmp_path: Path) -> None:
    assert made_once(tmp_path / "a", lambda: "um") == "um"
    assert made_once(tmp_path / "a", lambda: "outro") == "um"
    keep(tmp_path / "a", "novo")
    assert made_once(tmp_path / "a", lambda: "outro") == "novo"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_loser_of_the_race_takes_the_winners_value(tmp_path: Path) -> None:
    def make_while_another_is_faster() -> str:
        made_once(tmp_path / "a", lambda: "vencedor")
        return "perdedor"

    assert made_once(tmp_path / "a", make_while_another_is_faster) == "vencedor"


def test_a_database_url_is_taken_and_the_embedded_server_left_alone(tmp_path: Path) -> None:
    settings = load(
        tmp_path, DATABASE_URL="postgresql+psycopg://u:p@a:1,b:2/x?target_session_attrs=read-write"
    )
    assert settings.database_url == "postgresql://u:p@a:1,b:2/x?target_session_attrs=read-write"
    assert not settings.embedded
    assert not (tmp_path / "postgres-porta").exists()


def test_a_journal_whose_key_is_missing_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal-1.db").touch()
    with pytest.raises(SettingsError, match="falta a chave"):
        load(tmp_path)
    assert not (tmp_path / "segredos" / "chave-diario").exists()
    assert load(tmp_path, ROBUSTO_ENCRYPTION_KEY=KEY).encryption_key == KEY


def test_a_journal_with_its_key_starts(tmp_path: Path) -> None:
    key = load(tmp_path).encryption_key
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal-1.db").touch()
    assert load(tmp_path).encryption_key == key


def test_keys_may_come_from_a_file_and_be_several(tmp_path: Path) -> None:
    (tmp_path / "chaves").write_text(f"{KEY}, {KEY}\n")
    assert (
        load(tmp_path, ROBUSTO_ENCRYPTION_KEY_FILE=str(tmp_path / "chaves")).encryption_key == f"{KEY},{KEY}"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("WEB_CONCURRENCY", "-1"),
        ("WEB_CONCURRENCY", "2.5"),
        ("ACADEMIA_POSTGRES_RESTART_SECONDS", "-1"),
        ("ACADEMIA_POSTGRES_RESTART_SECONDS", "nan"),
        ("ROBUSTO_DEADLINE_SECONDS", "0"),
        ("ROBUSTO_DEADLINE_SECONDS", "inf"),
        ("ROBUSTO_RETRY_ATTEMPTS", "0"),
        ("ROBUSTO_JOURNAL_MAX_BYTES", "1000"),
        ("ROBUSTO_LOG_LEVEL", "ALTO"),
        ("ROBUSTO_ENCRYPTION_KEY", "curta"),
        ("ROBUSTO_ENCRYPTION_KEY", f"{KEY},é"),
        ("ROBUSTO_ENCRYPTION_KEY_FILE", "/nowhere/chave"),
        ("DATABASE_URL", "mysql://segredo@host/x"),
        ("DATABASE_URL", "postgresql://host/x?segredo=1"),
    ],
)
def test_a_wrong_value_is_named_in_one_line_without_secrets(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        load(tmp_path, **{name: value})
    assert "\n" not in str(caught.value)
    assert "segredo" not in str(caught.value)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ambas definidas"):
        load(tmp_path, ROBUSTO_ENCRYPTION_KEY=KEY, ROBUSTO_ENCRYPTION_KEY_FILE="/x")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "arquivo").touch()
    with pytest.raises(SettingsError, match=r"^ACADEMIA_VAR: .*arquivo"):
        load(tmp_path / "arquivo" / "var")
