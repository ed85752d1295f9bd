"""A witness inside PostgreSQL: a trigger that notes every new student and every change of `observacoes`.

It stands on the business table, so duplicates and order are seen from effects, not from the engine's books.
What is rolled back leaves no note. A second trigger refuses the doomed students, and only at COMMIT.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import psycopg
from psycopg.rows import class_row

from drill.checker import Effect, Row
from drill.plan import DOOMED

_SCHEMA = f"""
CREATE TABLE drill_witness (
    n bigserial PRIMARY KEY, txid bigint NOT NULL DEFAULT txid_current(),
    what text NOT NULL, id uuid, nome text, observacoes text
);
CREATE FUNCTION drill_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO drill_witness (what, id, nome, observacoes)
    VALUES (lower(TG_OP), NEW.id, NEW.nome, NEW.observacoes);
    RETURN NULL;
END $$;
CREATE TRIGGER drill_witness AFTER INSERT OR UPDATE OF observacoes ON alunos
    FOR EACH ROW EXECUTE FUNCTION drill_witness();
CREATE FUNCTION drill_doom() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused at COMMIT' USING ERRCODE = 'check_violation', CONSTRAINT = 'drill_doom';
END $$;
CREATE CONSTRAINT TRIGGER drill_doom AFTER INSERT ON alunos DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.observacoes = '{DOOMED}') EXECUTE FUNCTION drill_doom();
"""
_SECONDS = 60.0


class WitnessError(RuntimeError):
    """The witness could not be put in its place."""


def install(address: str) -> None:
    """Put the witness in place, as soon as the table is there."""
    end = time.monotonic() + _SECONDS
    with psycopg.connect(address, connect_timeout=10, autocommit=True) as connection:
        while connection.execute("SELECT to_regclass('alunos')").fetchone() == (None,):
            if time.monotonic() > end:
                raise WitnessError("there is no table `alunos` to watch")
            time.sleep(0.2)
        with connection.transaction():
            connection.execute(_SCHEMA)


def read(address: str) -> tuple[list[Row], list[Effect], list[tuple[str, str]]]:
    """The business rows as they are now, what the witness saw in its order, the ledger's keys and states.

    The ledger is read without its index, which would hide a second row of the same key.
    """
    with psycopg.connect(address, connect_timeout=10) as connection:
        rows = (
            connection.cursor(row_factory=class_row(Row))
            .execute("SELECT id::text AS id, nome, observacoes, protocolo FROM alunos")
            .fetchall()
        )
        effects = (
            connection.cursor(row_factory=class_row(Effect))
            .execute("SELECT n, txid, what, id::text AS id, nome, observacoes FROM drill_witness ORDER BY n")
            .fetchall()
        )
        connection.execute("SET LOCAL enable_indexscan = off")
        connection.execute("SET LOCAL enable_indexonlyscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        ledger = connection.execute("SELECT key::text, state FROM robusto_ledger").fetchall()
    return rows, effects, [(str(key), str(state)) for key, state in ledger]  # fmt: skip


def still_at_work(address: str, pids: Collection[int]) -> int:
    """How many of these backends are still in the middle of something."""
    with psycopg.connect(address, connect_timeout=10, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s) AND state <> 'idle'", [list(pids)]
        ).fetchone()
    return int(found[0]) if found else 0
