"""The engine's small parts, each by itself."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import robusto
from robusto import Config, ConfigError, errors
from robusto.breaker import Breaker, BreakerState
from robusto.deadline import Deadline
from robusto.events import Event, Events
from robusto.filelocks import FairLock, KeyLocks
from robusto.handlers import Handlers
from robusto.journal.group import GroupCommit
from robusto.passes import Passes
from robusto.retry import Retry
from robusto.shared import SharedRecord
from tests.support.engine_kit import KEY


class FakeClock:
    """Goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class RealClock(FakeClock):
    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# -- the public face ----------------------------------------------------------------------------


def test_the_public_names() -> None:
    for name in robusto.__all__:
        assert hasattr(robusto, name)
    for name in ("Engine", "Config", "Receipt", "WriteState", "WriteRejected", "NotAccepted", "KeyReused"):
        assert name in robusto.__all__


def test_everything_that_is_raised_has_one_root() -> None:
    raised = [each for each in vars(errors).values() if isinstance(each, type)]
    raised = [each for each in raised if each.__module__ == errors.__name__]
    assert len(raised) > 10
    assert all(issubclass(each, robusto.RobustoError) for each in raised)


# -- settings -----------------------------------------------------------------------------------

ENVIRON = {"DATABASE_URL": "postgresql://h/d", "ROBUSTO_JOURNAL_PATH": "/j", "ROBUSTO_ENCRYPTION_KEY": KEY}


def test_settings_come_from_the_environment() -> None:
    more = {"ROBUSTO_DEADLINE_SECONDS": "0.5", "ROBUSTO_RETRY_ATTEMPTS": "2"}
    config = Config.from_env(ENVIRON | more | {"ROBUSTO_JOURNAL_MAX_BYTES": "2097152"})
    assert (config.conninfo, config.folder) == ("postgresql://h/d", Path("/j"))
    assert (config.deadline_seconds, config.retry_attempts, config.journal_max_bytes) == (0.5, 2, 1 << 21)
    assert config.keys() == (b"k" * 32,)
    assert Config.from_env(ENVIRON).deadline_seconds == 2.0


def test_a_key_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    environ = {name: value for name, value in ENVIRON.items() if name != "ROBUSTO_ENCRYPTION_KEY"}
    assert Config.from_env(environ | {"ROBUSTO_ENCRYPTION_KEY_FILE": str(file)}).keys() == (b"k" * 32,)
    with pytest.raises(ConfigError, match="ROBUSTO_ENCRYPTION_KEY_FILE"):
        Config.from_env(environ | {"ROBUSTO_ENCRYPTION_KEY_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize("name", ENVIRON)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({each: value for each, value in ENVIRON.items() if each != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROBUSTO_DEADLINE_SECONDS", "x"), ("ROBUSTO_DEADLINE_SECONDS", "0"),
        ("ROBUSTO_DEADLINE_SECONDS", "nan"),
        ("ROBUSTO_DEADLINE_SECONDS", "61"), ("ROBUSTO_RETRY_ATTEMPTS", "0"), ("ROBUSTO_RETRY_ATTEMPTS", "21"),
        ("ROBUSTO_RETRY_ATTEMPTS", "inf"), ("ROBUSTO_JOURNAL_MAX_BYTES", "1000"),
        ("ROBUSTO_ENCRYPTION_KEY", "short"), ("ROBUSTO_ENCRYPTION_KEY", KEY + ",short"),
        ("ROBUSTO_ENCRYPTION_KEY", "not base64!"), ("ROBUSTO_ENCRYPTION_KEY", "ção"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as error:
        Config.from_env(ENVIRON | {name: value})
    assert "\n" not in str(error.value)


# -- time ---------------------------------------------------------------------------------------


def test_a_deadline_counts_down_and_ends_at_zero(clock: FakeClock) -> None:
    deadline = Deadline.after(clock, 2)
    clock.sleep(1.5)
    assert (deadline.remaining(), deadline.expired) == (0.5, False)
    assert deadline.at_most(0.25).remaining() == 0.25
    assert deadline.at_most(5).remaining() == 0.5
    clock.sleep(5)
    assert (deadline.remaining(), deadline.expired) == (0.0, True)


def test_retries_end_with_their_number_or_the_deadline(clock: FakeClock) -> None:
    assert list(Retry(3).tries(Deadline.after(clock, 10))) == [1, 2, 3]
    assert list(Retry(3).tries(Deadline.after(clock, 0))) == [1]
    late = Deadline.after(clock, 0.05)
    tried = []
    for number in Retry(20).tries(late):
        tried.append(number)
        clock.sleep(0.02)
    assert len(tried) < 4


# -- the breaker --------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[str]:
    """What the breaker's listeners were told."""
    return []


@pytest.fixture
def breaker(tmp_path: Path, clock: FakeClock, told: list[str]) -> Breaker:
    return breaker_at(tmp_path, clock, told)


def breaker_at(folder: Path, clock: FakeClock, told: list[str]) -> Breaker:
    events = Events(clock)
    events.listen(lambda event: told.append(event.facts.get("state") or event.name))
    return Breaker(SharedRecord(folder / "breaker"), events, clock)


def state(breaker: Breaker) -> BreakerState | None:
    finding = breaker.finding()
    return None if finding is None else finding.state


def test_nobody_has_looked_yet(breaker: Breaker) -> None:
    assert breaker.finding() is None
    assert breaker.allows_direct()


def test_a_failure_opens_the_breaker_for_every_process(
    breaker: Breaker, tmp_path: Path, clock: FakeClock, told: list[str]
) -> None:
    breaker.failed("cannot_connect", alarm=True)
    other = breaker_at(tmp_path, clock, told)
    assert not other.allows_direct()
    other.failed("cannot_connect")
    finding = other.finding()
    assert finding is not None
    assert (finding.state, finding.reason, finding.alarm) == (BreakerState.OPEN, "cannot_connect", False)
    assert told == ["breaker_opened"]  # the second failure is no news


def test_it_closes_when_postgresql_has_stayed_well(
    breaker: Breaker, clock: FakeClock, told: list[str]
) -> None:
    breaker.failed("x")
    breaker.answered()
    assert state(breaker) is BreakerState.HALF_OPEN
    breaker.answered()
    assert not breaker.allows_direct()
    clock.sleep(0.6)
    breaker.answered()
    assert state(breaker) is BreakerState.CLOSED
    assert breaker.allows_direct()
    breaker.answered()
    assert told == ["breaker_opened", "half_open", "closed"]


def test_a_relapse_makes_it_wait_longer_and_a_quiet_time_forgets(breaker: Breaker, clock: FakeClock) -> None:
    def held() -> float:
        began = clock.now
        while not breaker.allows_direct():
            breaker.answered()
            clock.sleep(0.1)
        return clock.now - began

    holds = []
    for _ in range(8):
        breaker.failed("x")
        holds.append(round(held()))
    assert holds == sorted(holds)
    assert holds[0] <= 1 < 3 < holds[-1] <= 5  # the return is shown within 5 s
    clock.sleep(120)
    breaker.failed("x")
    assert held() < 1


# -- records and locks between processes --------------------------------------------------------


def count_up(path: Path) -> None:
    record = SharedRecord(path)
    for _ in range(200):
        record.update(lambda now: {"n": (now or {"n": 0})["n"] + 1})


def test_a_shared_record_loses_no_update(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=(tmp_path / "r",)) for _ in range(2)]
    for each in processes:
        each.start()
    count_up(tmp_path / "r")
    for each in processes:
        each.join(30)
    assert SharedRecord(tmp_path / "r").read() == {"n": 600}


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"junk", os.urandom(1024)])
def test_a_torn_record_reads_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r").write_bytes(content)
    record = SharedRecord(tmp_path / "r")
    assert record.read() is None
    assert record.update(lambda now: {"n": 1} if now is None else None) == {"n": 1}
    assert SharedRecord(tmp_path / "r").read() == {"n": 1}


def test_without_its_folder_a_record_still_serves_its_own_process(tmp_path: Path) -> None:
    record = SharedRecord(tmp_path / "absent" / "r")
    assert record.read() is None
    record.update(lambda _: {"n": 1})
    assert record.read() == {"n": 1}


def test_a_record_takes_only_what_fits(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        SharedRecord(tmp_path / "r").update(lambda _: {"x": "y" * 2000})


def digest(n: int) -> bytes:
    return n.to_bytes(8, "big") + bytes(8)


def test_key_locks_exclude_threads_of_one_process_by_key(tmp_path: Path) -> None:
    clock = RealClock()
    one, other = KeyLocks(tmp_path / "keys"), KeyLocks(tmp_path / "keys")
    with one.hold([digest(1), digest(2)], [], Deadline.after(clock, 1)) as held:
        assert held
        for locks in (one, other):
            with locks.hold([digest(2)], [], Deadline.after(clock, 0.05)) as again:
                assert not again
            with locks.hold([digest(3)], [], Deadline.after(clock, 0.05)) as free:
                assert free
    with other.hold([digest(2)], [], Deadline.after(clock, 0.05)) as now:
        assert now
    one.close()
    other.close()


def test_shared_keys_are_held_together_and_keep_owners_out(tmp_path: Path) -> None:
    clock = RealClock()
    locks = KeyLocks(tmp_path / "keys")
    with locks.hold([], [digest(1)], Deadline.after(clock, 1)) as held:
        with locks.hold([], [digest(1)], Deadline.after(clock, 0.05)) as together:
            assert held and together
        with locks.hold([digest(1)], [], Deadline.after(clock, 0.05)) as owner:
            assert not owner
    with locks.hold([digest(1)], [digest(1)], Deadline.after(clock, 0.05)) as both:
        assert both
        with locks.hold([], [digest(1)], Deadline.after(clock, 0.05)) as sharer:
            assert not sharer
    locks.close()


def test_a_lock_that_was_waited_for_in_vain_is_not_kept(tmp_path: Path) -> None:
    clock = RealClock()
    first, second, third = (FairLock(tmp_path / "turn") for _ in range(3))
    assert first.acquire(Deadline.after(clock, 1))
    assert not second.acquire(Deadline.after(clock, 0.05))
    first.release()
    assert third.acquire(Deadline.after(clock, 5))
    third.release()
    assert second.acquire(Deadline.after(clock, 5))
    for each in (first, second, third):
        each.close()


def test_whoever_waits_for_the_lock_gets_it_before_its_last_holder_again(tmp_path: Path) -> None:
    clock = RealClock()
    greedy, patient = FairLock(tmp_path / "turn"), FairLock(tmp_path / "turn")
    order: list[str] = []

    def wait() -> None:
        assert patient.acquire(Deadline.after(clock, 20))
        order.append("patient")
        patient.release()

    assert greedy.acquire(Deadline.after(clock, 1))
    thread = threading.Thread(target=wait)
    thread.start()
    inode = f":{(tmp_path / 'turn').stat().st_ino} "
    limit = time.monotonic() + 10
    while not any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()):
        assert time.monotonic() < limit
    greedy.release()
    assert greedy.acquire(Deadline.after(clock, 20))
    order.append("greedy")
    thread.join(10)
    assert order == ["patient", "greedy"]
    greedy.close()
    patient.close()


def test_many_short_waits_for_a_lock_all_succeed(tmp_path: Path) -> None:
    """A turn that comes while nobody has begun to wait yet is not lost."""
    clock = RealClock()
    failures: list[int] = []

    def hammer() -> None:
        lock = FairLock(tmp_path / "turn")
        for number in range(300):
            if not lock.acquire(Deadline.after(clock, 20)):
                failures.append(number)
            lock.release()
        lock.close()

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failures == []


# -- group commit -------------------------------------------------------------------------------


def test_a_group_that_fails_tells_everybody_in_it(clock: FakeClock) -> None:
    def commit(take, deadline):
        take()
        raise OSError("the disk")

    group: GroupCommit[int, int] = GroupCommit(commit)
    for _ in range(2):
        with pytest.raises(OSError):
            group.put(1, Deadline.after(clock, 1))


def test_a_leader_that_finds_no_lock_fails_alone_and_the_next_one_leads() -> None:
    clock = RealClock()
    entered, go_on = threading.Event(), threading.Event()

    def commit(take, deadline):
        if not entered.is_set():
            entered.set()
            assert go_on.wait(10)
            raise errors.JournalBusy("no lock")
        return [value * 2 for value in take()]

    group: GroupCommit[int, int] = GroupCommit(commit)
    results: dict[int, object] = {}

    def put(value: int) -> None:
        try:
            results[value] = group.put(value, Deadline.after(clock, 20))
        except errors.JournalBusy as error:
            results[value] = error

    first = threading.Thread(target=put, args=(0,))
    first.start()
    assert entered.wait(10)
    rest = [threading.Thread(target=put, args=(value,)) for value in range(1, 6)]
    for each in rest:
        each.start()
    go_on.set()
    for each in [first, *rest]:
        each.join(20)
    assert isinstance(results.pop(0), errors.JournalBusy)
    assert results == {value: value * 2 for value in range(1, 6)}


def test_a_follower_whose_deadline_ends_in_the_queue_is_certainly_not_written() -> None:
    clock = RealClock()
    entered, go_on = threading.Event(), threading.Event()
    written: list[int] = []

    def commit(take, deadline):
        entered.set()
        assert go_on.wait(10)
        values = take()
        written.extend(values)
        return list(values)

    group: GroupCommit[int, int] = GroupCommit(commit)
    leader = threading.Thread(target=group.put, args=(0, Deadline.after(clock, 20)))
    leader.start()
    assert entered.wait(10)
    with pytest.raises(errors.JournalBusy) as refusal:
        group.put(1, Deadline.after(clock, 0.05))
    assert not refusal.value.maybe_written
    go_on.set()
    leader.join(20)
    assert written == [0]


# -- the rest -----------------------------------------------------------------------------------


def test_two_askers_share_one_pass(tmp_path: Path, clock: FakeClock) -> None:
    one, other = Passes(SharedRecord(tmp_path / "p")), Passes(SharedRecord(tmp_path / "p"))
    assert one.asked() == 0
    first, second = one.request(), other.request()
    assert one.asked() == second > first
    assert one.wait(first, Deadline.after(clock, 0.1)) is None
    one.answer(second, ["x" * 500])
    assert other.asked() == 0
    assert (
        one.wait(first, Deadline.after(clock, 1))
        == other.wait(second, Deadline.after(clock, 1))
        == ["x" * 120]
    )
    one.answer(first, ["late"])
    assert other.wait(second, Deadline.after(clock, 1)) == ["x" * 120]


def test_a_kind_has_one_handler_and_may_have_aliases() -> None:
    handlers = Handlers()
    handlers.add("a", lambda tx, payload: None, ("old.a",))
    assert handlers.get("old.a") is handlers.get("a")
    assert handlers.get("b") is None
    assert handlers.kinds() == {"a", "old.a"}
    for taken in ("a", "old.a"):
        with pytest.raises(ConfigError, match=taken):
            handlers.add_statement(taken, "SELECT 1")


def test_a_listener_that_fails_disturbs_nobody(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    events = Events(clock)

    def fail(event: Event) -> None:
        raise RuntimeError("529.982.247-25")

    events.listen(fail)
    events.listen(heard.append)
    events.emit("write_stored", write="x")
    assert [(event.name, event.facts) for event in heard] == [("write_stored", {"write": "x"})]
