"""The journal under what disks, people and other processes do to it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID, uuid4

import apsw
import pytest

from robusto import JournalError, NotAccepted, WriteState, local
from robusto.clock import SystemClock
from robusto.deadline import Deadline
from robusto.errors import JournalFull, JournalUnreadable
from robusto.filelocks import FairLock
from robusto.journal import generation as generations
from robusto.journal.entry import EntryState
from robusto.journal.place import Place
from robusto.journal.sqlite import Draft, SqliteJournal
from tests.support.engine_child import spawn
from tests.support.engine_journals import FAR, a_draft, break_file, journal_at
from tests.support.engine_kit import KEY, OTHER_KEY, engine_at, note, wait_for

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
"""Nobody listens there: every write goes to the journal."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    journal = journal_at(folder)
    yield journal
    journal.close()


def ids(journal: SqliteJournal) -> list[UUID]:
    return [each.entry.id for each in journal.unfinished()]


def main_file(folder: Path) -> Path:
    (found,) = folder.glob("journal-*.db")
    return found


# -- death at any instruction -------------------------------------------------------------------


def test_what_was_answered_is_there_after_kill_9(folder: Path) -> None:
    answered: list[str] = []
    for _ in range(5):
        child = spawn("append", NOWHERE, folder)
        for _ in range(5):
            answered.append(child.line())
        child.kill()
        answered += child.rest()
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        _, entries = engine.inspect(10**6)
        counts, _ = engine.inspect()
    kept = [str(each.id) for each in entries]
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)) == counts.last_seq
    assert [each.seq for each in entries] == list(range(1, len(kept) + 1))


@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_death_in_the_middle_of_an_append_loses_nothing_that_was_answered(
    folder: Path, call: str, nth: int
) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("earlier"), key="earlier")
        wal = Path(f"{main_file(folder)}-wal")
    child = spawn(
        "append-in-thread", NOWHERE, folder, strace=f"inject={call}:signal=KILL:when={nth}", only=wal
    )
    answered = child.rest()
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        kept = [str(each.id) for each in engine.inspect(10**6)[1]]
        assert engine.verify_journal() == []
        assert engine.submit("note", note("later")).state is WriteState.PENDING
    assert set(answered) <= set(kept)
    assert len(kept) - 1 - len(answered) in (0, 1)


# -- many at once -------------------------------------------------------------------------------


def test_four_processes_with_threads_append_without_a_gap_and_nobody_starves(folder: Path) -> None:
    children = [spawn("append-many", NOWHERE, folder, "4", "25") for _ in range(4)]
    answered = [line for child in children for line in child.rest()]
    assert len(set(answered)) == len(answered) == 400  # none of them was told "busy"
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        _, entries = engine.inspect(10**6)
        assert {str(each.id) for each in entries} == set(answered)
        assert [each.seq for each in entries] == list(range(1, 401))
        assert engine.verify_journal() == []


def test_several_first_starts_at_once_make_one_journal(folder: Path) -> None:
    children = [spawn("append-many", NOWHERE, folder, "1", "3") for _ in range(4)]
    answered = [line for child in children for line in child.rest()]
    assert len(list(folder.glob("journal-*.db"))) == 1
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        assert {str(each.id) for each in engine.inspect()[1]} == set(answered)
        assert engine.inspect()[0].last_seq == 12


def test_many_threads_share_few_flushes_and_each_gets_its_own_entry(journal: SqliteJournal) -> None:
    drafts = [a_draft() for _ in range(64)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda draft: journal.append(draft, FAR()), drafts))
    assert [entry.id for entry, _ in answers] == [draft.write.id for draft in drafts]
    assert sorted(entry.seq for entry, _ in answers) == list(range(1, 65))


def test_somebody_who_opens_and_closes_the_file_drops_nobodys_lock(
    folder: Path, journal: SqliteJournal
) -> None:
    """All files but the -shm: to close that one takes our own locks off it, and the next process to
    come truncates it under our feet (SIGBUS). Nothing that was answered is lost by that either, but
    this process is; so nothing of ours opens a journal file but SQLite, its WAL apart.
    """
    done = threading.Event()

    def meddle() -> None:
        while not done.is_set():
            for path in [*folder.glob("journal-*.db"), *folder.glob("journal-*-wal"), folder / "append.lock"]:
                with path.open("rb"):
                    pass

    meddler = threading.Thread(target=meddle)
    meddler.start()
    try:
        children = [spawn("append-many", NOWHERE, folder, "2", "20") for _ in range(2)]
        own = [journal.append(a_draft(), FAR())[0].id for _ in range(40)]
        answered = {UUID(line) for child in children for line in child.rest()}
    finally:
        done.set()
        meddler.join()
    assert set(ids(journal)) == answered | set(own)
    assert journal.counts().last_seq == 120
    assert journal.damages() == []


def test_a_journal_that_another_program_locked_is_waited_for_no_longer_than_the_deadline(
    folder: Path,
) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        other = apsw.Connection(str(main_file(folder)))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotAccepted) as refusal:
            engine.submit("note", note("b"))
        assert not refusal.value.maybe_applied
        other.execute("ROLLBACK")
        other.close()
        assert engine.submit("note", note("b")).state is WriteState.PENDING


def test_a_frozen_process_that_holds_the_journal_is_waited_for_no_longer_than_the_deadline(
    folder: Path,
) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        child = spawn("hold-the-turn", NOWHERE, folder)
        child.line()
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(NotAccepted) as refusal:
            engine.submit("note", note("b"))
        assert not refusal.value.maybe_applied
        child.close()
        assert engine.submit("note", note("b")).state is WriteState.PENDING
        assert engine.inspect()[0].last_seq == 2


# -- no room ------------------------------------------------------------------------------------


def test_a_disk_without_room_refuses_and_what_is_there_stays_usable(folder: Path) -> None:
    child = spawn("fill", NOWHERE, folder, "file-limit")
    *answered, refusal = child.rest()
    assert refusal == "NotAccepted maybe_applied=False"
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        assert {str(each.id) for each in engine.inspect(10**6)[1]} == set(answered)
        assert engine.submit("note", note("room again")).state is WriteState.PENDING


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")
def test_a_full_file_system_refuses_and_the_reserve_lets_marks_through(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mount], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        child = spawn("fill", NOWHERE, mount / "journal")
        *answered, refusal = child.rest()
        assert refusal == "NotAccepted maybe_applied=False"
        with closing(journal_at(mount / "journal")) as journal:
            assert len(answered) == journal.counts().pending > 0
            wait_for(lambda: drained_of_all(journal))
            assert journal.counts().balanced
    finally:
        subprocess.run(["umount", "--lazy", mount], check=True)


def drained_of_all(journal: SqliteJournal) -> bool:
    """What a worker does, turn after turn, whatever a turn runs into."""
    with suppress(JournalFull):
        token = journal.take_token()
        for opened in journal.unfinished():
            journal.mark(opened.entry, EntryState.APPLIED, token)
        while journal.prune(time.time() + 1):
            pass
    return journal.counts().pending == 0


def test_a_journal_at_its_size_limit_refuses(folder: Path) -> None:
    with engine_at(NOWHERE, folder, journal_max_bytes=1 << 20).open(worker=False) as engine:
        kept = 0
        with pytest.raises(NotAccepted) as refusal:
            for _ in range(100):
                engine.submit("note", note("x" * 50_000))
                kept += 1
        assert not refusal.value.maybe_applied
        assert engine.inspect()[0].pending == kept > 5


# -- removed, replaced, another generation ------------------------------------------------------


def test_a_journal_removed_while_it_is_open_answers_nothing_as_kept(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        shutil.rmtree(folder)
        for _ in range(3):
            with pytest.raises(NotAccepted):
                engine.submit("note", note("b"))
        assert not folder.exists()  # and no fresh, empty one was made
        status = engine.status()
        assert (status.level, status.pending) == ("red", None)
        assert engine.journal_problem()


def test_a_main_file_removed_while_it_is_open_answers_nothing_as_kept(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        main_file(folder).unlink()
        for _ in range(3):
            with pytest.raises(NotAccepted):
                engine.submit("note", note("b"))
        assert engine.status().level == "red"


def test_a_file_swapped_under_the_pointer_answers_nothing_as_kept(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        backup = folder.with_name("copy")
        shutil.copytree(folder, backup)
        for path in folder.glob("journal-*"):
            os.replace(backup / path.name, path)
        with pytest.raises(NotAccepted) as refusal:
            engine.submit("note", note("b"))
        assert refusal.value.maybe_applied


def test_a_journal_removed_before_the_start_is_an_alarm_and_no_first_start(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
    shutil.move(folder, folder.with_name("away"))
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        with pytest.raises(NotAccepted) as refusal:
            engine.submit("note", note("b"))
        assert not refusal.value.maybe_applied
        status = engine.status()
        assert (status.level, status.pending, status.accepted) == ("red", None, None)
        assert engine.journal_problem()
        shutil.move(folder.with_name("away"), folder)  # put back: it goes on without a restart
        assert engine.submit("note", note("b")).state is WriteState.PENDING
        assert engine.inspect()[0].pending == 2


def test_a_pointer_that_was_removed_is_an_alarm(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        pointer = folder / "journal.json"
        text = pointer.read_text()
        pointer.unlink()
        with pytest.raises(NotAccepted):
            engine.submit("note", note("b"))
        assert engine.status().level == "red"
        pointer.write_text(text)
        assert engine.submit("note", note("b")).state is WriteState.PENDING
        assert engine.inspect()[0].pending == 2


def test_another_journal_in_the_folder_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        engine_at(NOWHERE, tmp_path / name).open(worker=False).close()
    shutil.rmtree(tmp_path / "one")
    shutil.move(tmp_path / "other", tmp_path / "one")
    with engine_at(NOWHERE, tmp_path / "one").open(worker=False) as engine:
        with pytest.raises(NotAccepted):
            engine.submit("note", note("a"))
        assert engine.status().level == "red"


def renew(journal: SqliteJournal) -> None:
    """What a process does whose open file has failed."""
    break_file(journal)
    journal.counts()


def test_a_second_process_moves_to_the_new_generation(folder: Path, journal: SqliteJournal) -> None:
    other = journal_at(folder)
    first = journal.append(a_draft(), FAR())[0].id
    renew(journal)
    second = other.append(a_draft(), FAR())[0].id
    third = journal.append(a_draft(), FAR())[0].id
    assert ids(journal) == ids(other) == [first, second, third]
    assert [each.write is not None for each in other.unfinished()] == [True] * 3
    other.close()


def test_a_write_that_waits_while_a_new_generation_is_published_goes_into_that_one(
    folder: Path, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be answered as kept, and lie in a file that nobody reads any more."""
    other = journal_at(folder)
    other.append(a_draft(), FAR())
    before = main_file(folder)
    carrying, carry_on = threading.Event(), threading.Event()
    carry_over = generations.carry_over

    def slowly(*args):
        carrying.set()
        assert carry_on.wait(10)
        return carry_over(*args)

    monkeypatch.setattr(generations, "carry_over", slowly)
    with ThreadPoolExecutor(2) as pool:
        renewing = pool.submit(renew, journal)
        assert carrying.wait(10)
        waiting = pool.submit(other.append, a_draft(), FAR())
        wait_for(lambda: waiters(folder / "append.lock"))
        carry_on.set()
        renewing.result(10)
        kept = waiting.result(10)[0].id
    assert before.exists()
    assert kept in ids(journal)
    other.close()


def waiters(path: Path) -> bool:
    """Whether somebody waits for a kernel lock on this file."""
    inode = f":{path.stat().st_ino} "
    return any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(
    ("call", "error"), [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("fdatasync", "ENOSPC")]
)
def test_a_disk_that_failed_once_leads_to_a_new_generation_with_everything_pending(
    folder: Path, call: str, error: str
) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        for n in range(3):
            engine.submit("note", note(str(n)), key=str(n), ordering_keys=["a"])
        before = [each.id for each in engine.inspect()[1]]
    wal = Path(f"{main_file(folder)}-wal")
    child = spawn("append-in-thread", NOWHERE, folder, strace=f"inject={call}:error={error}:when=2", only=wal)
    lines = child.rest()
    refused = [line for line in lines if line.startswith("NotAccepted")]
    assert set(refused) == {"NotAccepted maybe_applied=True"}
    answered = [UUID(line) for line in lines if not line.startswith("NotAccepted")]
    assert len(answered) > 5
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        kept = [each.id for each in engine.inspect(10**6)[1]]
        assert kept[:3] == before
        assert set(answered) <= set(kept)
        assert engine.verify_journal() == []
        assert engine.inspect()[0].balanced
    assert len(list(folder.glob("journal-*.db"))) == 2  # the failed one is kept as evidence


# -- sealed -------------------------------------------------------------------------------------


def test_no_field_lies_in_plain_text_anywhere_in_the_folder(folder: Path) -> None:
    secrets = ["529.982.247-25", "Maria da Penha", "token:desk", "ana.operadora", "cpf:52998224725"]
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit(
            "note", {"cpf": secrets[0], "name": secrets[1], "id": 1}, key=secrets[0], namespace=secrets[2],
            author=secrets[3], ordering_keys=[secrets[4]], after=[secrets[4] + "x"],
        )  # fmt: skip
        wait_for(lambda: engine.activity.page(name="write_pending"))
    files = [path for path in folder.parent.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, path
            assert secret[:8].encode() not in content, path


def test_only_their_owner_can_read_the_files(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        engine.status()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in [*folder.rglob("*"), folder.with_name("journal.id")]
        }
        assert set(modes.values()) == {0o600}, modes
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_its_key_a_journal_does_not_open(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
    with pytest.raises(JournalUnreadable):
        engine_at(NOWHERE, folder, encryption_key=OTHER_KEY).open(worker=False)


def test_after_a_rotation_old_entries_are_readable_and_ids_stay(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        old = engine.submit("note", note("a"), key="k")
    both = f"{OTHER_KEY},{KEY}"
    with engine_at(NOWHERE, folder, encryption_key=both).open(worker=False) as engine:
        assert engine.write_id("note", "k") == old.id
        assert engine.submit("note", note("a"), key="k").duplicate
        engine.submit("note", note("b"), key="l")
        assert engine.verify_journal() == []
        assert len(engine.unfinished(["note"])) == 2
    with pytest.raises(JournalUnreadable):  # the old entry still needs the old key
        engine_at(NOWHERE, folder, encryption_key=OTHER_KEY).open(worker=False)


def test_a_new_installation_with_a_rotated_key_derives_the_same_ids(tmp_path: Path) -> None:
    with engine_at(NOWHERE, tmp_path / "one").open(worker=False) as engine:
        expected = engine.write_id("note", "k")
    both = f"{OTHER_KEY},{KEY}"
    with engine_at(NOWHERE, tmp_path / "two", encryption_key=both).open(worker=False) as engine:
        assert engine.write_id("note", "k") == expected


# -- damaged ------------------------------------------------------------------------------------


def change(folder: Path, sql: str) -> None:
    """Change the file behind the engine's back."""
    db = local.connect(main_file(folder), flush=True, create=False)
    db.execute(sql)
    db.close()


def test_a_changed_counter_is_red(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        engine.submit("note", note("a"))
        assert engine.status().level == "yellow"
        change(folder, "UPDATE counters SET n = n + 1 WHERE state = 'applied'")
        assert engine.status().level == "red"
        assert "add up" in engine.status().reason


def test_a_removed_entry_is_red(folder: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        for value in "abc":
            engine.submit("note", note(value))
        change(folder, "DROP TRIGGER entry_pruned; DELETE FROM entries WHERE seq = 2")
        change(folder, "UPDATE counters SET n = n - 1 WHERE state = 'pending'")
        assert engine.status().level == "red"


@pytest.mark.parametrize("page", ["a page of entries", "the first page"])
def test_a_flipped_bit_on_the_disk_is_never_silent(folder: Path, page: str) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        for n in range(20):
            engine.submit("note", note("x" * 3000 + str(n)))
        assert engine.verify_journal() == []
    file = main_file(folder)
    change(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2 // 4096 * 4096 + 2000 if page == "a page of entries" else 2000] ^= 4
    file.write_bytes(raw)
    with suppress(JournalError), engine_at(NOWHERE, folder).open(worker=False) as engine:
        assert engine.verify_journal() != []


def test_a_clone_of_the_folder_without_its_id_beside_it_is_opened(tmp_path: Path) -> None:
    with engine_at(NOWHERE, tmp_path / "one").open(worker=False) as engine:
        engine.submit("note", note("a"))
    shutil.copytree(tmp_path / "one", tmp_path / "sub" / "two")
    with engine_at(NOWHERE, tmp_path / "sub" / "two").open(worker=False) as engine:
        assert engine.inspect()[0].pending == 1


def test_a_wal_cut_at_any_byte_loses_only_its_tail(folder: Path, tmp_path: Path) -> None:
    with engine_at(NOWHERE, folder).open(worker=False) as engine:
        order = [engine.submit("note", note(str(n))).id for n in range(6)]
        image = tmp_path / "image"
        shutil.copytree(folder, image)
    wal = next(image.glob("journal-*.db-wal"))
    next(image.glob("journal-*.db-shm")).unlink()
    whole = wal.read_bytes()
    seen = set()
    for size in range(0, len(whole), len(whole) // 25 + 1):
        wal.write_bytes(whole[:size])
        copy = tmp_path / f"cut{size}"
        shutil.copytree(image, copy)
        try:
            with engine_at(NOWHERE, copy).open(worker=False) as engine:
                kept = [each.id for each in engine.inspect()[1]]
        except JournalUnreadable:
            continue  # cut before the file was even made
        assert kept == order[: len(kept)]
        seen.add(len(kept))
    assert len(seen) > 2


def test_the_turn_is_fair_between_threads_of_several_descriptors(tmp_path: Path) -> None:
    order: list[int] = []
    clock = SystemClock()
    holder = FairLock(tmp_path / "lock")
    assert holder.acquire(Deadline.after(clock, 5))

    def take(number: int) -> None:
        lock = FairLock(tmp_path / "lock")
        assert lock.acquire(Deadline.after(clock, 20))
        order.append(number)
        lock.close()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=take, args=(number,)))
        threads[-1].start()
    holder.release()
    for thread in threads:
        thread.join(20)
    assert sorted(order) == list(range(5))
    holder.close()


def test_a_place_says_what_to_do_when_its_journal_is_gone(folder: Path) -> None:
    journal_at(folder).close()
    shutil.rmtree(folder)
    with pytest.raises(JournalError, match="put it back or restore a backup"):
        Place(folder).prepare()


def test_an_entry_is_appended_once_under_its_id(journal: SqliteJournal) -> None:
    draft = a_draft(id=uuid4())
    first, was_there = journal.append(draft, FAR())
    again, is_there = journal.append(Draft(draft.write, "another reason", False), FAR())
    assert (was_there, is_there, again.seq) == (False, True, first.seq)
