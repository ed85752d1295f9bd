"""Formats that outlive every release: what is pinned here is in somebody's journal and ledger.

A failing test of this file is not mended by changing the expectation: give the new format a new label.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from robusto import JournalError, local
from robusto.clock import SystemClock
from robusto.identity import Identity, id_range, protocol_number
from robusto.journal import generation, rows, seal
from robusto.journal.cipher import Cipher, derive
from robusto.journal.copies import Copies
from robusto.journal.place import Generation, Place
from robusto.journal.schema import COLUMNS, SCHEMA_VERSION, TABLES
from robusto.write import Write, canonical_json

IDENTITY = Identity(bytes(range(32)))
WRITE = UUID("d046ae67-6793-861a-8f13-5929b8728b4f")
REQUEST = {"b": [1, 2.5, None, True], "a": "ção"}


def test_the_id_of_a_write() -> None:
    assert IDENTITY.write_id("token:1", "aluno.cadastrar", "chave-1") == WRITE
    assert IDENTITY.write_id("", "note", "k") == UUID("443d3342-f7cd-8739-ad1e-1ca1502125ae")


def test_the_hash_of_a_request() -> None:
    assert canonical_json(REQUEST) == b'{"a":"\\u00e7\\u00e3o","b":[1,2.5,null,true]}'
    expected = "3e791c3a1a13657a5ce90df089363b51c18c19eea9e95f87cfb6581d6a9892cf"
    assert IDENTITY.request_hash(REQUEST).hex() == expected


def test_the_id_that_a_write_gives_to_what_it_makes() -> None:
    assert IDENTITY.derived_id(WRITE, "aluno") == UUID("e3510b9e-21ae-8154-a378-fb64b18160d3")


def test_the_digest_of_an_ordering_key() -> None:
    assert IDENTITY.ordering("aluno:1").hex() == "5b1d1991b3b1ee95c3aa3ceb1a283bed"


def test_the_protocol_number() -> None:
    assert protocol_number(WRITE) == "AP-T13A-WSV7-JDGH"
    assert protocol_number(WRITE, "X2") == "X2-T13A-WSV7-JDGH"
    assert id_range("AP-T13A-WSV7-JDGH") == (
        UUID("d046ae67-6793-8600-0000-000000000000"),
        UUID("d046ae67-6793-861f-ffff-ffffffffffff"),
    )


def test_the_keys_that_are_derived_from_the_key_given() -> None:
    key = b"k" * 32
    assert derive(key, "seal").hex() == "6d0a049dd5a862e2b1eb474388db72de9eae9b8ee96276289f1e747d69f1a65f"
    assert derive(key, "identity").hex() == "b19a975ca2957c1729d5dd96704fb1a7c6c9fa6dd7aab9b2f7f0caee2ccc63c9"


SEALED = (
    "AR6jYxQ+4MwqLJRFP2iTs4Xt/RfIyEuGc6kXUfnJ82N8hLFzVIE1iChqiPl8fZ6ih7x9pYGaRsNaT1XB+3uI2HXYLxGeNu9W"
    "bL4+RZUd3iM0IHsXspeS9vYxfc+ouNyH/uF94LkBnvPIIbJFY4v1Mfsv60WYjkQTjy7QAzI5260Zd9iu3s25JocoCRZ3esqg"
    "rydtL7fafNjPYzCqPa0BqgtxpGGp++D3CSt8fllxkQtH/HCBSbNHst0k0JbjzRna7ix3viUDms3vUepuM2E="
)


def a_write() -> Write:
    return Write(
        id=WRITE, kind="note", payload={"a": "ção"}, request_hash=b"h" * 32, submit_id=UUID(int=7), version=2,
        ordering=(b"o" * 16, b"p" * 16), after=(b"q" * 16,), accepted_at=datetime(2026, 1, 2, tzinfo=UTC),
        namespace="token:1", key="k", author="ana",
    )  # fmt: skip


def test_an_entry_that_was_sealed_by_the_first_release_still_opens() -> None:
    write = a_write()
    opened = seal.unseal(
        Cipher((b"k" * 32,)), base64.b64decode(SEALED), b"place", id=write.id, kind=write.kind,
        request_hash=write.request_hash, version=write.version, ordering=write.ordering, after=write.after,
    )  # fmt: skip
    assert opened == write


def test_digests_lie_in_a_column_one_after_the_other() -> None:
    assert seal.join(a_write().ordering) == b"o" * 16 + b"p" * 16
    assert seal.split(b"o" * 16 + b"p" * 16) == a_write().ordering
    assert seal.split(b"") == ()


def test_the_tables_of_a_journal_file(tmp_path: Path) -> None:
    db = local.connect(tmp_path / "journal.db", flush=False)
    db.execute(TABLES)
    tables = {
        table: [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
        for (table,) in list(db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"))
    }
    del tables["sqlite_sequence"]
    db.close()
    assert SCHEMA_VERSION == 1
    assert tables == {
        "acts": ["id", "at", "who", "verb", "entry", "reason", "result"],
        "counters": ["state", "n"],
        "entries": [
            "seq", "id", "kind", "state", "request_hash", "version", "ordering", "after", "accepted_at",
            "changed_at", "maybe_applied", "reason", "held_since", "not_before", "sealed",
        ],
        "meta": ["name", "value"],
        "waiting": ["digest", "seq"],
    }  # fmt: skip
    assert [name.strip() for name in COLUMNS.split(",")] == tables["entries"][:-1]


def test_the_pointer_to_the_generation_that_counts(tmp_path: Path) -> None:
    place = Place(tmp_path / "journal")
    place.prepare()
    (place.folder / "journal-old.db").touch()
    ids = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    (place.folder / "journal.json").write_text(
        f'{{"journal": "{ids[0]}", "generation": "{ids[1]}", "file": "journal-old.db"}}'
    )
    expected = Generation(UUID(ids[0]), UUID(ids[1]), place.folder / "journal-old.db")
    assert place.current() == expected
    assert (tmp_path / "journal.id").read_text() == ids[0]
    place.publish(expected)
    assert place.current() == expected


@pytest.mark.parametrize("place", [0, 9, 21, 40, -1])
def test_a_seal_with_a_changed_byte_does_not_open(place: int) -> None:
    broken = bytearray(base64.b64decode(SEALED))
    broken[place] ^= 1
    write = a_write()
    with pytest.raises(JournalError):
        seal.unseal(
            Cipher((b"k" * 32,)), bytes(broken), b"place", id=write.id, kind=write.kind,
            ordering=write.ordering, request_hash=write.request_hash, version=write.version,
            after=write.after,
        )  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"id": UUID(int=1)}, {"kind": "other"}, {"request_hash": b"x" * 32}, {"version": 1},
        {"ordering": (b"o" * 16,)}, {"after": ()}, {"place": b"elsewhere"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_a_seal_is_bound_to_what_stands_beside_it(changed: dict[str, object]) -> None:
    write = a_write()
    beside: dict[str, object] = {
        "id": write.id, "kind": write.kind, "request_hash": write.request_hash, "version": write.version,
        "ordering": write.ordering, "after": write.after, "place": b"place",
    }  # fmt: skip
    values = beside | changed
    with pytest.raises(JournalError):
        seal.unseal(Cipher((b"k" * 32,)), base64.b64decode(SEALED), values.pop("place"), **values)  # type: ignore[arg-type]


def test_what_was_added_to_a_journal_file_later_is_made_when_it_is_opened(tmp_path: Path) -> None:
    db = local.connect(tmp_path / "journal.db", flush=False)
    db.execute(TABLES)
    assert not rows.complete(db)
    for _ in range(2):
        generation.add_what_is_missing(db)
    assert rows.complete(db)
    columns = [name for _, name, *_ in db.execute("PRAGMA table_info(returned)")]
    db.close()
    assert columns == ["seq", "place", "copy", "since", "waits"]


def test_the_tables_of_the_copies_of_direct_writes(tmp_path: Path) -> None:
    Copies(tmp_path, (b"k" * 32,), SystemClock(), lambda: 0).keep(a_write())
    db = local.connect(tmp_path / "copies.db", flush=False)
    tables = {
        table: [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
        for table in ("copies", "behind")
    }
    db.close()
    assert tables == {
        "copies": ["n", "id", "kind", "request_hash", "version", "ordering", "after", "stored_at", "sealed"],
        "behind": ["n", "seq"],
    }
