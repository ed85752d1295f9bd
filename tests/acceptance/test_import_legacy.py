"""`flask --app academia importar legado`: nothing lost, nothing twice, the file untouched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from academia.migrar import migrar
from tests.support.legacy_file import cortar_no_ultimo, gravar, registro, registros
from tests.support.postgres_server import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

FLASK = (sys.executable, "-m", "flask", "--app", "academia")
Importar = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def importar(tmp_path: Path, database: str) -> Importar:
    """The command, as a process of its own; gives the exit code and what `--json` printed."""
    migrar(database)
    ambiente = {k: v for k, v in os.environ.items() if not k.startswith(("ROBUSTO_", "ACADEMIA_"))}
    ambiente |= {"ACADEMIA_VAR": str(tmp_path / "var"), "DATABASE_URL": database}

    def comando(arquivo: Path, *opcoes: str) -> tuple[int, dict[str, Any]]:
        antes = arquivo.read_bytes() if arquivo.exists() else None
        feito = subprocess.run(
            [*FLASK, "importar", "legado", str(arquivo), "--json", *opcoes],
            env=ambiente, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in feito.stderr, feito.stderr
        assert (arquivo.read_bytes() if arquivo.exists() else None) == antes
        return feito.returncode, json.loads(feito.stdout) if feito.stdout else {}

    return comando


def contagem(relatorio: dict[str, Any]) -> tuple[int, int, int, int]:
    importados, atualizados, iguais, recusados = (
        relatorio[nome] for nome in ("importados", "atualizados", "iguais", "recusados")
    )
    return importados, atualizados, iguais, recusados


def consultar(database: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as banco:
        return banco.execute(sql.encode()).fetchall()


def test_500_records_are_imported_once_and_a_second_run_changes_nothing(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    arquivo = gravar(tmp_path, registros(500))
    codigo, relatorio = importar(arquivo)
    assert (codigo, contagem(relatorio), relatorio["pendentes"]) == (0, (500, 0, 0, 0), 0)
    antes = consultar(database, "SELECT * FROM alunos ORDER BY id")
    assert len(antes) == 500
    assert {json.dumps(o, sort_keys=True) for (o,) in consultar(database, "SELECT origem FROM alunos")} == {
        json.dumps(r, sort_keys=True) for r in registros(500)
    }
    codigo, relatorio = importar(arquivo)
    assert (codigo, contagem(relatorio)) == (0, (0, 0, 500, 0))
    assert consultar(database, "SELECT * FROM alunos ORDER BY id") == antes


def test_of_a_file_that_was_cut_off_499_of_500_are_saved_and_one_is_reported(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    arquivo = gravar(tmp_path, registros(500))
    cortar_no_ultimo(arquivo)
    codigo, relatorio = importar(arquivo)
    assert (codigo, contagem(relatorio)) == (1, (499, 0, 0, 1))
    assert [relato["motivo"] for relato in relatorio["relatos"] if "linha" in relato] == [
        "registro cortado ou danificado"
    ]
    assert consultar(database, "SELECT count(*) FROM alunos") == [(499,)]
    whole = gravar(tmp_path, registros(500), "inteiro.json")
    assert contagem(importar(whole)[1]) == (1, 0, 499, 0)


def test_a_simulation_says_what_would_happen_and_writes_nothing(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    outro = registro(3, fallback_id=registro(2)["fallback_id"])
    pessoal = registro(4, id_unico="ab12cd34_4")
    arquivo = gravar(tmp_path, [registro(1), registro(2), outro, registro(2), pessoal, {"x": 1}, 7])
    simulado = importar(arquivo, "--simular")
    assert simulado[0] == 1
    assert consultar(database, "SELECT count(*) FROM alunos") == [(0,)]
    assert importar(arquivo) == simulado
    assert contagem(simulado[1]) == (4, 0, 1, 2)
    gravar(tmp_path, [registro(1), pessoal | {"endereco": "Outra Rua"}, registro(9)])
    simulado = importar(arquivo, "--simular")
    assert importar(arquivo) == simulado
    assert contagem(simulado[1]) == (1, 1, 1, 0)


def test_a_repeated_fallback_id_with_another_content_is_another_person(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    um, outro = registro(1), registro(1, nome="Outra Pessoa", telefone="(21) 91234-5678")
    arquivo = gravar(tmp_path, [um, outro, um, outro])
    _, relatorio = importar(arquivo)
    assert contagem(relatorio) == (2, 0, 2, 0)
    assert any("identificador repetido" in relato["motivo"] for relato in relatorio["relatos"])
    assert contagem(importar(arquivo)[1]) == (0, 0, 4, 0)
    assert consultar(database, "SELECT nome FROM alunos ORDER BY nome") == [("Outra Pessoa",), (um["nome"],)]


def test_a_changed_record_of_the_same_person_is_an_edit_of_what_changed(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    velho = registro(1, id_unico="ab12cd34_1")
    importar(gravar(tmp_path, [velho]))
    novo = velho | {"endereco": "Rua Nova, 2", "email": "", "atividade": "Yoga"}
    arquivo = gravar(tmp_path, [novo])
    assert contagem(importar(arquivo)[1]) == (0, 1, 0, 0)
    assert consultar(database, "SELECT endereco, email, atividade, origem->>'email' FROM alunos") == [
        ("Rua Nova, 2", velho["email"], "Yoga", "")
    ]
    assert contagem(importar(arquivo)[1]) == (0, 0, 1, 0)


def test_what_somebody_changed_here_is_never_overwritten_by_a_file(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    velho = registro(1, id_unico="ab12cd34_1")
    importar(gravar(tmp_path, [velho]))
    with psycopg.connect(database) as banco:
        banco.execute("UPDATE alunos SET endereco = 'corrigido no balcão'")
    codigo, relatorio = importar(gravar(tmp_path, [velho | {"endereco": "Rua Nova, 2"}]))
    assert (codigo, contagem(relatorio)) == (1, (0, 0, 0, 1))
    assert "endereco" in relatorio["relatos"][0]["motivo"]
    assert consultar(database, "SELECT endereco FROM alunos") == [("corrigido no balcão",)]


def test_the_same_identifier_under_another_name_is_another_person(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    um = registro(1, id_unico="ab12cd34_1")
    arquivo = gravar(tmp_path, [um, um | {"nome": "Outra Pessoa"}])
    assert contagem(importar(arquivo)[1]) == (2, 0, 0, 0)
    assert contagem(importar(arquivo)[1]) == (0, 0, 2, 0)


def test_records_without_an_identifier_are_known_by_what_they_say(
    importar: Importar, database: str, tmp_path: Path
) -> None:
    sem = {"nome": "Pessoa Sem Identificador", "telefone": "A definir"}
    arquivo = gravar(tmp_path, [sem, sem, sem | {"endereco": "Rua"}])
    assert contagem(importar(arquivo)[1]) == (2, 0, 1, 0)
    assert contagem(importar(arquivo)[1]) == (0, 0, 3, 0)


def test_a_cpf_that_belongs_to_somebody_is_reported_without_naming_anybody(
    importar: Importar, tmp_path: Path
) -> None:
    arquivo = gravar(tmp_path, [registro(1, cpf="52998224725"), registro(2, cpf="529.982.247-25")])
    codigo, relatorio = importar(arquivo)
    assert (codigo, contagem(relatorio)) == (1, (1, 0, 0, 1))
    assert "CPF" in relatorio["relatos"][0]["motivo"]
    assert "529" not in json.dumps(relatorio)
    assert "Inventada" not in json.dumps(relatorio)


def test_without_postgresql_the_records_are_pending_and_stored_later(
    importar: Importar, database: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    repetido = registro(0, nome="Outra Pessoa")
    arquivo = gravar(tmp_path, [*registros(20), repetido])
    postgres_server.stop()
    codigo, relatorio = importar(arquivo)
    assert (codigo, contagem(relatorio), relatorio["pendentes"]) == (0, (21, 0, 0, 0), 21)
    assert contagem(importar(arquivo)[1]) == (0, 0, 21, 0)
    assert importar(arquivo, "--simular")[0] == 0  # all of them are known here
    assert importar(gravar(tmp_path, [registro(99)], "outro.json"), "--simular") == (3, {})
    postgres_server.start()
    ambiente = os.environ | {"ACADEMIA_VAR": str(tmp_path / "var"), "DATABASE_URL": database}
    subprocess.run([*FLASK, "robusto", "drain"], env=ambiente, cwd=tmp_path, check=True, timeout=60)
    assert consultar(database, "SELECT count(*) FROM alunos") == [(21,)]
    assert contagem(importar(arquivo)[1]) == (0, 0, 21, 0)


def test_a_file_that_is_not_there_could_not_be_looked_at(importar: Importar, tmp_path: Path) -> None:
    assert importar(tmp_path / "nada.json") == (3, {})
    assert importar(tmp_path / "nada.json", "--errado")[0] == 2


def test_an_empty_list_is_nothing_to_do_and_an_empty_file_is_reported(
    importar: Importar, tmp_path: Path
) -> None:
    assert importar(gravar(tmp_path, [])) == (
        0, {"importados": 0, "atualizados": 0, "iguais": 0, "recusados": 0, "pendentes": 0, "relatos": []}
    )  # fmt: skip
    vazio = tmp_path / "vazio.json"
    vazio.touch()
    assert contagem(importar(vazio)[1]) == (0, 0, 0, 1)
