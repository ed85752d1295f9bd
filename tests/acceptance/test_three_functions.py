"""The earlier system's three functions: same names, same shapes, and none of its defects."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.engine_proxy import Loss, Proxy
from tests.support.postgres_server import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

GRAVADO = {"success", "message", "aluno_id", "method"}
PENDENTE = {"success", "message", "fallback_id", "method", "warning", "aluno_id"}
NAO_GUARDADO = {"success", "message", "error", "fallback_error"}
RECUSADO = {"success", "message", "error"}

_SERVO = """
import json, sys
from academia import database_integration_robusto as modulo
for linha in sys.stdin:
    nome, *argumentos = json.loads(linha)
    print(json.dumps(getattr(modulo.db_integration_robusto, nome)(*argumentos)), flush=True)
"""


class Script:
    """A plain script of somebody's own, without Flask, that calls the functions one after another."""

    def __init__(self, var: Path, database: str, **ambiente: str) -> None:
        self.database = database
        limpo = {k: v for k, v in os.environ.items() if not k.startswith(("ROBUSTO_", "ACADEMIA_"))}
        self._processo = subprocess.Popen(
            [sys.executable, "-c", _SERVO],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=var.parent,
            env=limpo | {"ACADEMIA_VAR": str(var), "DATABASE_URL": database} | ambiente,
        )  # fmt: skip
        self._vez = threading.Lock()

    def chamar(self, nome: str, *argumentos: Any) -> dict[str, Any]:
        assert self._processo.stdin is not None and self._processo.stdout is not None
        with self._vez:
            self._processo.stdin.write(json.dumps([nome, *argumentos]) + "\n")
            self._processo.stdin.flush()
            resposta: dict[str, Any] = json.loads(self._processo.stdout.readline())
        return resposta

    def salvar(self, **dados: Any) -> dict[str, Any]:
        return self.chamar("salvar_aluno_db_robusto", {"nome": "Pessoa Inventada", **dados})

    def status(self) -> dict[str, Any]:
        return self.chamar("get_status_sistema")

    def processar(self) -> dict[str, Any]:
        return self.chamar("processar_fallback_pendente")

    def encher_o_disco(self) -> None:
        """From now on no file of this process may grow, as on a full disk."""
        resource.prlimit(self._processo.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def esvaziar_o_disco(self) -> None:
        livre = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self._processo.pid, resource.RLIMIT_FSIZE, livre)

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_: object) -> None:
        """The script comes to its end, as scripts do."""
        assert self._processo.stdin is not None and self._processo.stdout is not None
        self._processo.stdin.close()
        codigo = self._processo.wait(30)
        self._processo.stdout.close()
        assert codigo == 0


@pytest.fixture
def script(tmp_path: Path, database: str) -> Iterator[Script]:
    with Script(tmp_path / "var", database) as pronto:
        yield pronto


def alunos(database: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as banco:
        return banco.execute("SELECT id::text, nome FROM alunos ORDER BY criado_em").fetchall()


def ate(condicao: Callable[[], bool], segundos: float = 20.0) -> None:
    limite = time.monotonic() + segundos
    while not condicao():
        assert time.monotonic() < limite, "it did not happen in time"
        time.sleep(0.1)


def test_a_plain_script_stores_a_student_in_a_database_that_was_never_migrated(script: Script) -> None:
    resposta = script.salvar(telefone="(11) 98765-4321", data_nascimento="A definir", atividade="Natação")
    assert set(resposta) == GRAVADO, resposta
    assert (resposta["success"], resposta["method"]) == (True, "database")
    assert alunos(script.database) == [(resposta["aluno_id"], "Pessoa Inventada")]


def test_only_a_name_is_needed_and_two_calls_without_a_key_are_two_writes(script: Script) -> None:
    uma, outra = script.salvar(), script.salvar()
    assert uma["aluno_id"] != outra["aluno_id"]
    assert len(alunos(script.database)) == 2


def test_one_key_is_one_write_whatever_it_is_called(script: Script) -> None:
    for nome in ("id_unico", "fallback_id"):
        uma, outra = (script.salvar(**{nome: f"chave-{nome}"}) for _ in range(2))
        assert uma == outra
        recusada = script.salvar(**{nome: f"chave-{nome}"}, rg="outro")
        assert (set(recusada), recusada["success"]) == (RECUSADO, False)
    assert len(alunos(script.database)) == 2


def test_in_an_outage_it_is_pending_with_a_warning_and_stored_by_itself_afterwards(
    script: Script, postgres_server: PostgresServer
) -> None:
    script.salvar(nome="Antes")
    postgres_server.stop()
    inicio = time.monotonic()
    resposta = script.salvar(nome="Durante")
    assert time.monotonic() - inicio < 4
    assert set(resposta) == PENDENTE, resposta
    assert (resposta["success"], resposta["method"]) == (True, "fallback")
    assert (
        script.salvar(nome="Durante", fallback_id=resposta["fallback_id"])["aluno_id"] == resposta["aluno_id"]
    )
    ate(lambda: not script.status()["database_connected"])
    assert script.status()["fallback_records"] == 1
    parado = script.processar()
    assert set(parado) == {"processed", "remaining", "errors", "message"}
    assert (parado["processed"], parado["remaining"]) == (0, 1)
    assert parado["errors"]
    postgres_server.start()
    ate(lambda: script.status()["fallback_records"] == 0)
    assert [nome for _, nome in alunos(script.database)] == ["Antes", "Durante"]
    assert script.processar() | {"message": ""} == {
        "processed": 0,
        "remaining": 0,
        "errors": [],
        "message": "",
    }
    ate(lambda: script.status()["database_connected"])


def test_a_frozen_database_holds_nobody_up(script: Script, postgres_server: PostgresServer) -> None:
    script.salvar(nome="Antes")
    postgres_server.freeze()
    inicio = time.monotonic()
    respostas = [script.salvar(nome=f"Durante {n}") for n in range(3)]
    assert time.monotonic() - inicio < 10
    assert all(resposta["method"] == "fallback" for resposta in respostas)
    postgres_server.thaw()
    ate(lambda: script.status()["fallback_records"] == 0)
    assert len(alunos(script.database)) == 4


def test_the_status_is_true_at_the_first_call_of_a_script(script: Script) -> None:
    status = script.status()
    assert (status["database_connected"], status["fallback_records"]) == (True, 0)
    assert datetime.fromisoformat(status["last_check"]).tzinfo is not None
    assert {"level", "breaker", "reason"} <= set(status)


def test_a_student_without_a_name_or_with_a_cpf_of_somebody_else_is_refused_in_words(script: Script) -> None:
    assert script.salvar(cpf="529.982.247-25")["success"]
    for recusado in (script.salvar(nome=""), script.salvar(nome=None), script.salvar(cpf="52998224725")):
        assert (set(recusado), recusado["success"]) == (RECUSADO, False)
        assert "529" not in json.dumps(recusado)
    assert len(alunos(script.database)) == 1


def test_nothing_raises_whatever_it_is_given(script: Script) -> None:
    quaisquer: list[Any] = [None, 1, [], "texto", {}, {"nome": {"a": 1}}, {"nome": "P", "x": "y" * 2_000_000}]
    for dados in quaisquer:
        resposta = script.chamar("salvar_aluno_db_robusto", dados)
        assert (set(resposta), resposta["success"]) == (RECUSADO, False), dados
    assert script.salvar(x={"a": [1, {"b": None}]}, nome="N\x00ul")["success"]


def test_eight_at_once_from_four_processes_are_eight_students(
    script: Script, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    with ExitStack() as outros:
        todos = [script, *(outros.enter_context(Script(tmp_path / "var", script.database)) for _ in range(3))]
        with ThreadPoolExecutor(8) as threads:
            respostas = list(threads.map(lambda n: todos[n % 4].salvar(nome=f"Pessoa {n}"), range(8)))
        assert all(set(resposta) == PENDENTE for resposta in respostas)
        assert script.status()["fallback_records"] == 8
        postgres_server.start()
        ate(lambda: script.status()["fallback_records"] == 0)
    assert sorted(nome for _, nome in alunos(script.database)) == [f"Pessoa {n}" for n in range(8)]


def test_a_journal_that_is_gone_is_told_as_unknown_figures_and_as_not_kept(
    tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    var = tmp_path / "var"
    with Script(var, database) as primeiro:
        assert primeiro.salvar()["success"]
    shutil.rmtree(var / "journal")
    postgres_server.stop()
    with Script(var, database) as script:
        resposta = script.salvar()
        assert (set(resposta), resposta["success"]) == (NAO_GUARDADO, False), resposta
        assert "NÃO foi guardado" in resposta["message"]
        assert script.status()["fallback_records"] == "erro_leitura"
        processado = script.processar()
        assert processado["processed"] == 0
        assert processado["error"]


def test_on_a_full_disk_it_is_not_kept_and_after_an_unanswered_commit_it_is_unknown(
    tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    with Proxy(postgres_server.port) as proxy, Script(tmp_path / "var", proxy.dsn(database)) as script:
        assert script.salvar(id_unico="antes")["method"] == "database"
        script.encher_o_disco()
        proxy.lose(Loss.SILENCE)
        desconhecido = script.salvar(id_unico="duvida")
        assert (set(desconhecido), desconhecido["success"]) == (NAO_GUARDADO, False), desconhecido
        assert "Não sabemos" in desconhecido["message"]
        postgres_server.stop()
        perdido = script.salvar(id_unico="nada")
        assert (set(perdido), perdido["success"]) == (NAO_GUARDADO, False), perdido
        assert "NÃO foi guardado" in perdido["message"]
        assert script.status()["database_connected"] is False
        postgres_server.start()
        script.esvaziar_o_disco()
        ate(lambda: bool(script.status()["database_connected"]))
        assert script.salvar(id_unico="duvida")["success"]  # what one is told to do: send it again
        ate(lambda: script.status()["fallback_records"] == 0)
    assert len(alunos(database)) == 2


def test_a_wrong_setting_is_told_and_nothing_raises(tmp_path: Path, database: str) -> None:
    with Script(tmp_path / "var", database, ROBUSTO_DEADLINE_SECONDS="x") as script:
        resposta = script.salvar()
        assert (set(resposta), resposta["success"]) == (NAO_GUARDADO, False)
        assert "ROBUSTO_DEADLINE_SECONDS" in resposta["fallback_error"]
        assert script.status()["fallback_records"] == "erro_leitura"
        assert script.processar()["processed"] == 0


def test_inside_the_app_the_functions_use_its_engine(tmp_path: Path, database: str) -> None:
    from academia import database_integration_robusto as modulo
    from tests.support.api import aplicacao

    with aplicacao(tmp_path / "var", database) as api, api.app.app_context():
        resposta = modulo.salvar_aluno_db_robusto({"nome": "Pessoa Inventada"})
        assert set(resposta) == GRAVADO
        assert modulo.get_status_sistema()["fallback_records"] == 0
        assert modulo.processar_fallback_pendente()["remaining"] == 0
        assert api.ver(resposta["aluno_id"]).json["nome"] == "Pessoa Inventada"
