"""The tables of a journal file. Its formats are described in ARCHITECTURE.md and stay readable."""

from __future__ import annotations

SCHEMA_VERSION = 1

UNFINISHED = "state IN ('pending', 'held', 'quarantined')"

TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'applied', 'quarantined', 'discarded')),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    version INTEGER NOT NULL,
    ordering BLOB NOT NULL,
    after BLOB NOT NULL,
    accepted_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    maybe_applied INTEGER NOT NULL,
    reason TEXT NOT NULL,
    held_since REAL,
    not_before REAL NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX entries_unfinished ON entries (seq) WHERE {UNFINISHED};
CREATE INDEX entries_finished ON entries (changed_at) WHERE state IN ('applied', 'discarded');
CREATE INDEX entries_held ON entries (seq, kind, reason, changed_at) WHERE state = 'held';
CREATE INDEX entries_quarantined ON entries (seq, kind, reason, changed_at) WHERE state = 'quarantined';

CREATE TABLE waiting (
    digest BLOB NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (digest, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_seq ON waiting (seq);

CREATE TABLE counters (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES
    ('pending', 0), ('held', 0), ('applied', 0), ('quarantined', 0), ('discarded', 0), ('pruned', 0);
CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
    UPDATE counters SET n = n + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER entry_moved AFTER UPDATE OF state ON entries WHEN NEW.state <> OLD.state BEGIN
    UPDATE counters SET n = n - 1 WHERE state = OLD.state;
    UPDATE counters SET n = n + 1 WHERE state = NEW.state;
    DELETE FROM waiting WHERE seq = NEW.seq AND NEW.state IN ('applied', 'discarded');
END;
CREATE TRIGGER entry_pruned AFTER DELETE ON entries BEGIN
    UPDATE counters SET n = n - 1 WHERE state = OLD.state;
    UPDATE counters SET n = n + 1 WHERE state = 'pruned';
END;

CREATE TABLE acts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    verb TEXT NOT NULL,
    entry BLOB NOT NULL,
    reason TEXT NOT NULL,
    result TEXT NOT NULL
) STRICT;
CREATE INDEX acts_of ON acts (entry);
"""

#: Entries that were put back into the queue after PostgreSQL had forgotten them, and their place in the
#: order: their own number, or, of what went directly, behind the entry `place` by the number of its copy.
#: A later addition: made in every file when it is opened, and unknown to nobody who does without it.
RETURNED = """
CREATE TABLE IF NOT EXISTS returned (
    seq INTEGER PRIMARY KEY, place INTEGER NOT NULL, copy INTEGER NOT NULL,
    since REAL NOT NULL, waits INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS returned_waits ON returned (place, copy, seq) WHERE waits = 1;
CREATE TRIGGER IF NOT EXISTS returned_moved AFTER UPDATE OF state ON entries BEGIN
    UPDATE returned SET waits = NEW.state NOT IN ('applied', 'discarded') WHERE seq = NEW.seq;
END;
CREATE TRIGGER IF NOT EXISTS returned_pruned AFTER DELETE ON entries BEGIN
    DELETE FROM returned WHERE seq = OLD.seq;
END;
"""

COLUMNS = (
    "seq, id, kind, state, request_hash, version, ordering, after, accepted_at, changed_at,"
    " maybe_applied, reason, held_since, not_before"
)
