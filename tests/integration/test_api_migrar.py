"""The migration: by several processes at once, again, and into a schema that is right."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest
import sqlalchemy.exc

from academia.alunos.campos import COLUNAS
from academia.migrar import migrar

pytestmark = pytest.mark.postgres

_MIGRAR = "import sys; from academia.migrar import migrar; migrar(sys.argv[1])"


def test_four_processes_at_once_migrate_once(database: str) -> None:
    processos = [subprocess.Popen([sys.executable, "-c", _MIGRAR, database]) for _ in range(4)]
    assert [processo.wait(60) for processo in processos] == [0] * 4
    with psycopg.connect(database) as banco:
        assert banco.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


def test_a_second_migration_changes_nothing(database: str) -> None:
    migrar(database)
    with psycopg.connect(database, autocommit=True) as banco:
        antes = esquema(banco)
        migrar(database)
        assert esquema(banco) == antes


def esquema(banco: psycopg.Connection) -> list[tuple[object, ...]]:
    sql = "SELECT table_name, column_name, data_type FROM information_schema.columns"
    return sorted(banco.execute(sql + " WHERE table_schema = 'public'").fetchall())


def test_every_field_of_a_student_has_its_column_and_the_engine_its_tables(database: str) -> None:
    migrar(database)
    with psycopg.connect(database) as banco:
        colunas = {coluna for tabela, coluna, _ in esquema(banco) if tabela == "alunos"}
        assert colunas == {
            *COLUNAS, "id", "protocolo", "busca", "origem", "criado_em", "criado_por", "alterado_em"
        }  # fmt: skip
        assert {"robusto_ledger", "robusto_drainer"} <= {str(tabela) for tabela, _, _ in esquema(banco)}


def test_the_moment_of_a_change_is_postgresqls_own(database: str) -> None:
    migrar(database)
    with psycopg.connect(database, autocommit=True) as banco:
        banco.execute(
            "INSERT INTO alunos (id, protocolo, nome, busca, criado_em, criado_por, alterado_em) "
            "VALUES (gen_random_uuid(), 'AP', 'Pessoa', 'pessoa', now(), 'teste', '1999-01-01')"
        )
        sql = "SELECT alterado_em, clock_timestamp() - alterado_em < '1 minute' FROM alunos"
        feito, agora = banco.execute(sql).fetchone() or (None, None)
        assert agora
        banco.execute("UPDATE alunos SET rg = '1'")
        depois, _ = banco.execute(sql).fetchone() or (None, None)
        assert feito is not None and depois is not None and depois > feito


def test_an_address_of_several_hosts_is_libpqs(database: str) -> None:
    host, _, resto = database.rpartition("@")[2].partition("/")
    varios = database.replace(host, f"127.0.0.1:9,{host}") + "?target_session_attrs=read-write"
    migrar(varios)
    assert resto


def test_without_postgresql_it_says_so() -> None:
    with pytest.raises((psycopg.OperationalError, sqlalchemy.exc.OperationalError)):
        migrar("postgresql://ninguem@127.0.0.1:9/nada")
