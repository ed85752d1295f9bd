"""What the drill's proxy reads off the wire."""

import pytest

from drill.wire import ClientSplitter, Commit, Frame, ServerSplitter, Transactions, settles
from tests.support.drill_peers import COMMIT, STARTUP, WRITE, message, query


def test_frames_do_not_depend_on_how_the_bytes_come():
    stream = STARTUP + query("BEGIN") + query(COMMIT)
    whole, dripping = ClientSplitter(), ClientSplitter()
    one_by_one = [frame for byte in stream for frame in dripping.feed(bytes([byte]))]
    assert one_by_one == whole.feed(stream)
    assert [frame.kind for frame in one_by_one] == [b"", b"Q", b"Q"]
    answers = message(b"C", b"BEGIN\0") + message(b"Z", b"T")
    backend = ServerSplitter(whole)
    assert [frame.kind for byte in answers for frame in backend.feed(bytes([byte]))] == [b"C", b"Z"]


def extended(sql, name=b""):
    """Parse, Bind and Execute, as frames."""
    parse = Frame(b"P", name + b"\0" + sql.encode() + b"\0\0\0", b"")
    bind = Frame(b"B", b"\0" + name + b"\0" + bytes(6), b"")
    return parse, bind, Frame(b"E", b"\0" + bytes(4), b"")


def test_a_commit_is_recognised_in_the_extended_protocol():
    transactions = Transactions()
    frames = [*extended("BEGIN"), *extended("UPDATE alunos SET nome = $1", b"s1"), *extended("commit;")]
    assert [transactions.sees(frame) for frame in frames] == [None] * 8 + [Commit.EXPLICIT]


def test_a_prepared_write_is_recognised_when_it_is_executed_again():
    transactions = Transactions()
    parse, bind, execute = extended(WRITE, b"s1")
    seen = [transactions.sees(frame) for frame in (parse, bind, execute, bind, execute)]
    assert seen == [None, None, Commit.IMPLICIT, None, Commit.IMPLICIT]


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (["BEGIN; SET LOCAL lock_timeout = 9", WRITE, COMMIT], Commit.EXPLICIT),
        (["BEGIN", WRITE, "SAVEPOINT a", "ROLLBACK TO a", "END"], Commit.EXPLICIT),
        (["BEGIN", WRITE, "ROLLBACK WORK TO SAVEPOINT a", COMMIT], Commit.EXPLICIT),
        (["BEGIN", WRITE, "ROLLBACK", "BEGIN", COMMIT], None),
        (["BEGIN", WRITE], None),
        ([WRITE], Commit.IMPLICIT),
        (["BEGIN", "SELECT nome FROM alunos", COMMIT], None),
    ],
)
def test_what_commits_a_write_is_told_from_what_does_not(said, last):
    transactions = Transactions()
    assert [transactions.sees(Frame(b"Q", sql.encode(), b"")) for sql in said][-1] is last


def test_a_write_outside_a_transaction_is_settled_at_its_end():
    assert settles(Commit.IMPLICIT, Frame(b"C", b"INSERT 0 1\0", b"")) is None
    assert settles(Commit.IMPLICIT, Frame(b"Z", b"I", b"")) is True
    assert settles(Commit.IMPLICIT, Frame(b"E", b"", b"")) is False


@pytest.mark.parametrize(
    ("said", "doomed"),
    [
        (["BEGIN", f"{WRITE} -- doomed", COMMIT], True),
        (["BEGIN", f"{WRITE} -- doomed", "ROLLBACK", "BEGIN", WRITE, COMMIT], False),
        (["BEGIN", f"{WRITE} -- doomed", COMMIT, "BEGIN", WRITE, COMMIT], False),
        ([f"{WRITE} -- doomed", WRITE], False),
    ],
)
def test_the_commit_of_a_doomed_write_is_told_from_others(said, doomed):
    transactions = Transactions()
    for sql in said:
        transactions.sees(Frame(b"Q", sql.encode(), b""))
    assert transactions.doomed is doomed


def test_the_mark_of_a_doomed_write_is_seen_among_its_values():
    transactions = Transactions()
    parse, bind, execute = extended(WRITE, b"s1")
    marked = Frame(b"B", bind.body + b"doomed", b"")
    for frame in (*extended("BEGIN"), parse, marked, execute, *extended(COMMIT)):
        transactions.sees(frame)
    assert transactions.doomed
