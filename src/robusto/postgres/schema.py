"""The engine's tables in PostgreSQL. The formats stay for ever; see ARCHITECTURE.md."""

from __future__ import annotations

#: One statement each, all repeatable; an application may run them in its own migrations.
STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE IF NOT EXISTS robusto_ledger (
        key uuid PRIMARY KEY,
        request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
        kind text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL CHECK (state IN ('applied', 'fenced')),
        submit_id uuid NOT NULL,
        journal uuid NOT NULL,
        direct boolean NOT NULL,
        accepted_at timestamptz NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "COMMENT ON TABLE robusto_ledger IS 'robusto 1: one row per applied or fenced write; never prune it'",
    """
    CREATE TABLE IF NOT EXISTS robusto_drainer (
        journal uuid PRIMARY KEY,
        token bigint NOT NULL
    )
    """,
    "COMMENT ON TABLE robusto_drainer IS 'robusto 1: the newest drainer of each journal (fencing token)'",
)

#: Any number, but always the same: makes of several processes that create the tables one.
LOCK = 7_262_870_001
