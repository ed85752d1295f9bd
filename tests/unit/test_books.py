"""How often the direct writes are counted."""

from pathlib import Path
from uuid import uuid4

import pytest

from robusto.books import Books
from robusto.shared import SharedRecord
from robusto.testing import FakeClock


class Server:
    """Takes its time for an answer."""

    def __init__(self, clock: FakeClock) -> None:
        self.asked, self.seconds = 0, 0.01
        self._clock = clock

    def read(self, *_: object) -> int:
        self.asked += 1
        self._clock.sleep(self.seconds)
        return self.asked


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Server:
    return Server(clock)


def counted(books: Books, server: Server, clock: FakeClock, seconds: int) -> int:
    """How often, in so many seconds."""
    before = server.asked
    for _ in range(seconds):
        books.count_when_due()
        clock.sleep(1.0)
    return server.asked - before


@pytest.mark.parametrize(("seconds_a_count", "at_most"), [(0.01, 100), (0.4, 6), (9.0, 2)])
def test_counting_takes_a_small_share_of_the_time_and_happens_every_minute(
    tmp_path: Path, clock: FakeClock, server: Server, seconds_a_count: float, at_most: int
) -> None:
    movement = iter(range(1000))
    books = Books(SharedRecord(tmp_path / "books"), server, uuid4, lambda: next(movement), clock)  # type: ignore[arg-type]
    server.seconds = seconds_a_count
    assert 1 <= counted(books, server, clock, 100) <= at_most
    assert counted(books, server, clock, 61) >= 1
