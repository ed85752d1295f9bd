"""2b. How often: at most so many tries inside one deadline, with a jittered pause between them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from robusto.deadline import Deadline

#: Seconds: short, because what they bridge is a lost connection, a deadlock, a serialization
#: failure (failures.md §3), and jittered, so that two that collided do not collide again.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.05


@dataclass(frozen=True, slots=True)
class Retry:
    """The one retry policy of the system."""

    attempts: int

    def tries(self, deadline: Deadline) -> Iterator[int]:
        """1, 2, 3 …: yields while another try is due, pausing before each but the first."""
        for number in range(1, self.attempts + 1):
            if number > 1:
                pause = random.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE)
                if pause >= deadline.remaining():
                    return
                deadline.clock.sleep(pause)
            yield number
