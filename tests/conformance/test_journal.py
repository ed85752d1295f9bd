"""What every journal must do, whatever it is made of: add another one to JOURNALS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from robusto import JournalError
from robusto.clock import SystemClock
from robusto.deadline import Deadline
from robusto.errors import EntryChanged, LeaseLost
from robusto.journal.entry import Copy, EntryState, Opened
from robusto.journal.sqlite import SqliteJournal
from tests.support.engine_journals import FAR, a_draft, a_write, break_file, journal_at

#: Opens a journal over a folder; a second call with the same folder opens the same journal again.
JOURNALS: dict[str, Callable[[Path], SqliteJournal]] = {"sqlite": journal_at}

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16


@pytest.fixture(params=JOURNALS)
def open_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], SqliteJournal]]:
    opened: list[SqliteJournal] = []

    def make() -> SqliteJournal:
        opened.append(JOURNALS[request.param](tmp_path / "journal"))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Callable[[], SqliteJournal]) -> SqliteJournal:
    return open_journal()


def append(journal: SqliteJournal, **values) -> Opened:
    entry, was_there = journal.append(a_draft(**values), FAR())
    assert not was_there
    opened = journal.open_entry(entry.id)
    assert opened is not None
    return opened


def state(journal: SqliteJournal, id: UUID) -> EntryState:
    entry = journal.find(id)
    assert entry is not None
    return entry.state


def quarantined(journal: SqliteJournal, **values) -> Opened:
    opened = append(journal, **values)
    journal.mark(opened.entry, EntryState.QUARANTINED, journal.take_token(), reason="23514")
    again = journal.open_entry(opened.entry.id)
    assert again is not None
    return again


def test_an_appended_write_comes_back_as_it_was(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    write = a_write(
        payload={"á": [1, None, {"x": 1.5}]}, ordering=(A, B), after=(C,), author="ana", namespace="n"
    )
    draft = a_draft(id=write.id)
    entry, _ = journal.append(type(draft)(write, "behind", True), FAR())
    assert (entry.seq, entry.state, entry.reason, entry.maybe_applied) == (
        1,
        EntryState.PENDING,
        "behind",
        True,
    )
    opened = open_journal().open_entry(write.id)
    assert opened is not None
    assert opened.write == write
    assert opened.entry == entry


def test_numbers_have_no_gap_and_give_the_order(journal: SqliteJournal) -> None:
    ids = [append(journal).entry.id for _ in range(450)]  # more than any page
    assert [(each.entry.seq, each.entry.id) for each in journal.unfinished()] == list(enumerate(ids, 1))
    assert [each.entry.seq for each in journal.unfinished(after_seq=440)] == list(range(441, 451))


def test_the_same_write_is_kept_once(journal: SqliteJournal) -> None:
    draft = a_draft()
    first, _ = journal.append(draft, FAR())
    again, was_there = journal.append(a_draft(id=draft.write.id, request_hash=b"x" * 32), FAR())
    assert was_there
    assert again == first  # with the first one's hash, for its caller to compare
    assert journal.counts().last_seq == 1


def test_threads_that_append_at_once_each_get_an_entry_of_their_own(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    journals = [journal, open_journal()]
    drafts = [a_draft() for _ in range(60)]
    with ThreadPoolExecutor(12) as pool:
        entries = list(pool.map(lambda n: journals[n % 2].append(drafts[n], FAR())[0], range(60)))
    assert [entry.id for entry in entries] == [draft.write.id for draft in drafts]
    assert {entry.seq for entry in entries} == set(range(1, 61))


def test_an_append_whose_deadline_is_over_either_keeps_it_or_says_no(journal: SqliteJournal) -> None:
    draft = a_draft()
    try:
        journal.append(draft, Deadline.after(SystemClock(), 0))
    except JournalError as error:
        assert not error.maybe_written
        assert journal.find(draft.write.id) is None
    else:
        assert journal.find(draft.write.id) is not None


def test_a_write_is_found_by_its_id_or_a_range_of_ids(journal: SqliteJournal) -> None:
    entry = append(journal).entry
    assert journal.find(entry.id) == entry
    assert journal.find(UUID(int=entry.id.int - 5), UUID(int=entry.id.int + 5)) == entry
    assert journal.find(uuid4()) is None
    assert journal.open_entry(uuid4()) is None


@pytest.mark.parametrize(
    ("next_state", "blocks"),
    [
        (None, True), (EntryState.HELD, True), (EntryState.QUARANTINED, True), (EntryState.APPLIED, False),
        (EntryState.DISCARDED, False),
    ],
)  # fmt: skip
def test_unfinished_entries_hold_their_ordering_keys_and_not_their_parents(
    journal: SqliteJournal, next_state: EntryState | None, blocks: bool
) -> None:
    opened = append(journal, ordering=(A, B), after=(C,))
    if next_state is not None:
        journal.mark(opened.entry, next_state, journal.take_token())
    assert journal.waits_behind((A,)) == journal.waits_behind((C, B)) == blocks
    assert not journal.waits_behind((C,))
    assert not journal.waits_behind(())


@pytest.mark.parametrize("final", [EntryState.APPLIED, EntryState.DISCARDED])
def test_finished_entries_leave_the_backlog_and_stay_findable(
    journal: SqliteJournal, final: EntryState
) -> None:
    opened = append(journal)
    journal.mark(opened.entry, final, journal.take_token())
    assert list(journal.unfinished()) == []
    assert state(journal, opened.entry.id) is final


def test_a_held_entry_remembers_why_and_since_when(journal: SqliteJournal) -> None:
    token = journal.take_token()
    opened = append(journal)
    journal.mark(opened.entry, EntryState.HELD, token, reason="55P03", retry_after=5)
    held = journal.find(opened.entry.id)
    assert held is not None and held.held_since is not None
    assert held.reason == "55P03"
    assert held.not_before > held.held_since + 4
    journal.mark(held, EntryState.HELD, token, reason="55P03", retry_after=0)
    again = journal.find(opened.entry.id)
    assert again is not None and again.held_since == held.held_since


def test_every_change_keeps_the_equation(journal: SqliteJournal) -> None:
    token = journal.take_token()
    moves = [None, EntryState.HELD, EntryState.APPLIED, EntryState.QUARANTINED, EntryState.DISCARDED]
    for next_state in moves * 2:
        opened = append(journal)
        if next_state is not None:
            journal.mark(opened.entry, next_state, token)
        assert journal.counts().balanced
    assert journal.prune((datetime.now(UTC) + timedelta(hours=1)).timestamp()) == 2
    counts = journal.counts()
    assert counts.balanced
    assert (counts.last_seq, counts.pending, counts.held, counts.applied) == (10, 2, 2, 0)
    assert (counts.quarantined, counts.discarded, counts.pruned) == (2, 2, 2)


def test_only_what_was_applied_long_ago_is_pruned(journal: SqliteJournal) -> None:
    token = journal.take_token()
    kept = [append(journal) for _ in range(3)]
    for opened, next_state in zip(
        kept, [EntryState.HELD, EntryState.QUARANTINED, EntryState.DISCARDED], strict=True
    ):
        journal.mark(opened.entry, next_state, token)
    fresh = append(journal)
    journal.mark(fresh.entry, EntryState.APPLIED, token)
    assert journal.prune((datetime.now(UTC) - timedelta(hours=1)).timestamp()) == 0
    assert journal.prune((datetime.now(UTC) + timedelta(hours=1)).timestamp()) == 1
    assert journal.find(fresh.entry.id) is None
    assert all(journal.find(each.entry.id) for each in kept)


def test_numbers_are_never_given_twice(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    opened = append(journal)
    journal.mark(opened.entry, EntryState.APPLIED, journal.take_token())
    journal.prune((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    assert append(open_journal()).entry.seq == 2


def test_only_the_newest_drainer_may_mark(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    opened = append(journal)
    old = journal.take_token()
    new = open_journal().take_token()
    assert new > old
    with pytest.raises(LeaseLost):
        journal.mark(opened.entry, EntryState.APPLIED, old)
    with pytest.raises(LeaseLost):
        journal.taint(opened.entry, old)
    assert state(journal, opened.entry.id) is EntryState.PENDING
    journal.mark(opened.entry, EntryState.APPLIED, new)


def test_what_somebody_decided_meanwhile_is_not_overwritten(journal: SqliteJournal) -> None:
    token = journal.take_token()
    opened = append(journal)
    journal.mark(opened.entry, EntryState.QUARANTINED, token)
    with pytest.raises(EntryChanged):
        journal.mark(opened.entry, EntryState.APPLIED, token)
    assert state(journal, opened.entry.id) is EntryState.QUARANTINED


def test_an_unanswered_attempt_is_remembered(journal: SqliteJournal) -> None:
    opened = append(journal)
    assert not opened.entry.maybe_applied
    journal.taint(opened.entry, journal.take_token())
    tainted = journal.find(opened.entry.id)
    assert tainted is not None and tainted.maybe_applied


def test_a_requeued_entry_is_the_next_version_of_the_same_write(journal: SqliteJournal) -> None:
    opened = quarantined(journal, ordering=(A,))
    later = append(journal, ordering=(A,))
    journal.requeue(opened, who="ana", reason="mended")
    first, second = journal.unfinished()
    assert (first.entry.id, second.entry.id) == (opened.entry.id, later.entry.id)  # it keeps its place
    assert first.entry.version == 2
    assert first.write is not None and opened.write is not None
    assert first.write.payload == opened.write.payload
    assert first.write.submit_id != opened.write.submit_id
    assert first.write.version == 2
    with pytest.raises(EntryChanged):
        journal.requeue(opened, who="ana", reason="twice")


def test_a_discarded_entry_frees_its_keys(journal: SqliteJournal) -> None:
    opened = quarantined(journal, ordering=(A,))
    journal.discard(opened.entry, who="ana", reason="a typo")
    assert not journal.waits_behind((A,))
    with pytest.raises(EntryChanged):
        journal.discard(opened.entry, who="ana", reason="twice")
    assert journal.counts().discarded == 1


def test_acts_are_on_record_with_who_and_why(journal: SqliteJournal) -> None:
    one, other = quarantined(journal), quarantined(journal)
    journal.requeue(one, who="ana", reason="mended")
    journal.discard(other.entry, who="rui", reason="a typo")
    acts = [act[1:] for act in journal.acts()]
    assert acts == [
        ("rui", "discard", other.entry.id, "a typo", "discarded"),
        ("ana", "requeue", one.entry.id, "mended", "pending"),
    ]


def test_the_oldest_pending_write_has_an_age(journal: SqliteJournal) -> None:
    assert journal.oldest_pending() is None
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    opened = append(journal, accepted_at=hour_ago)
    append(journal)
    age = journal.oldest_pending()
    assert age is not None and 3590 < age < 3700
    journal.mark(opened.entry, EntryState.QUARANTINED, journal.take_token())
    age = journal.oldest_pending()
    assert age is not None and age < 100


def test_reasons_for_which_a_person_must_act_are_told(journal: SqliteJournal) -> None:
    token = journal.take_token()
    for reason in ("55P03", "42P01", "unknown_kind", "42P01"):
        journal.mark(append(journal).entry, EntryState.HELD, token, reason=reason)
    assert journal.alarming_reasons() == ["42P01", "unknown_kind"]


def test_everything_is_there_after_a_restart(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    ids = [append(journal).entry.id for _ in range(5)]
    identity, secret = journal.journal_id(), journal.secret()
    journal.close()
    again = open_journal()
    assert [each.entry.id for each in again.unfinished()] == ids
    assert (again.journal_id(), again.secret()) == (identity, secret)
    assert again.damages() == []


def test_it_says_whether_a_write_could_be_kept(journal: SqliteJournal) -> None:
    journal.try_to_write(FAR())
    assert journal.counts().last_seq == 0


def a_copy(n: int, behind: int, **values: Any) -> Copy:
    """The copy of a direct write that was kept behind this entry."""
    return Copy(n, a_write(**values), behind, readable=True)


def order(journal: SqliteJournal) -> list[UUID]:
    return [each.entry.id for each in journal.unfinished()]


def test_what_is_put_back_stands_where_it_stood_and_direct_writes_between(
    journal: SqliteJournal, open_journal: Callable[[], SqliteJournal]
) -> None:
    one, two, three = append(journal, ordering=(A,)).entry, append(journal).entry, append(journal).entry
    token = journal.take_token()
    for entry in (one, two):
        journal.mark(entry, EntryState.APPLIED, token)
    late = [a_copy(8, 2), a_copy(9, 2)]
    journal.adopt(late[1:], "set_back", token)
    journal.adopt([a_copy(3, 1), late[0]], "set_back", token)
    applied = [each for each in (journal.find(one.id), journal.find(two.id)) if each is not None]
    journal.put_back(applied, "set_back", token)
    assert journal.waits_behind((A,))
    again = open_journal()
    found = order(again)
    assert (found[0], found[2], found[5]) == (one.id, two.id, three.id)
    assert found[3:5] == [copy.write.id for copy in late]
    assert [each.entry.id for each in again.unfinished(2)] == found[2:]
    counts = again.counts()
    assert (counts.last_seq, counts.pending, counts.applied, counts.balanced) == (6, 6, 0, True)
    assert again.put_back_pending() == 5


def test_a_direct_write_that_is_an_entry_already_is_not_adopted_twice(journal: SqliteJournal) -> None:
    copy = a_copy(1, 0)
    token = journal.take_token()
    assert journal.adopt([copy], "set_back", token) == 1
    assert journal.adopt([copy], "set_back", token) == 0
    assert journal.counts().last_seq == 1


def test_places_outlive_the_file_they_were_given_in(journal: SqliteJournal) -> None:
    first, last = append(journal).entry, append(journal).entry
    between = a_copy(1, first.seq)
    journal.adopt([between], "set_back", journal.take_token())
    break_file(journal)
    assert order(journal) == [first.id, between.write.id, last.id]


def test_only_the_newest_drainer_may_put_back(journal: SqliteJournal) -> None:
    entry, token = append(journal).entry, journal.take_token()
    journal.mark(entry, EntryState.APPLIED, token)
    applied = journal.find(entry.id)
    assert applied is not None
    journal.take_token()
    with pytest.raises(LeaseLost):
        journal.put_back([applied], "set_back", token)
    with pytest.raises(LeaseLost):
        journal.adopt([a_copy(1, 0)], "set_back", token)
    assert journal.counts().applied == 1
