"""What has to be in the journal, from what was said before and after every act, and whether it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Line = dict[str, Any]
"""Something that a process said, in its order. See `tests.sweep.actor`."""

#: An entry that is not there: never kept, or pruned after it was applied.
NOWHERE, PRUNED = "nowhere", "pruned"
_UNFINISHED = ("pending", "held", "quarantined")


@dataclass(slots=True)
class Known:
    """What one entry may be now: `state/version`, NOWHERE or PRUNED."""

    value: str
    may_be: set[str] = field(default_factory=lambda: {NOWHERE})
    before: set[str] = field(default_factory=set)
    seq: int | None = None
    tainted: bool = False


class World:
    """Follows what was said: an act that was answered has happened, an unanswered one may have."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.entries: dict[str, Known] = {}
        self.token = 0
        self.identity: str | None = None
        self.tell(lines)

    def tell(self, lines: Iterable[Line]) -> None:
        """Go on with these lines."""
        for line in lines:
            if "do" in line:
                self._begun(line)
            elif "did" in line:
                self._ended(line)

    def _begun(self, line: Line) -> None:
        for known in self._touched(line):
            known.before = set(known.may_be)
            known.may_be.add(line["to"])

    def _ended(self, line: Line) -> None:
        answer = line["answer"]
        for known in self._touched(line, ended=True):
            if answer == "done":
                known.may_be = {line["to"]}
                known.seq = line.get("seq", known.seq)
            elif answer == "nothing":
                known.may_be = set(known.before)
            known.before = set()
        if answer == "done" and line["did"] == "taint":
            self.entries[line["id"]].tainted = True
        if answer == "done" and line["did"] == "token":
            self.token = max(self.token, line["token"])
        if answer == "done" and line["did"] == "open":
            self.identity = line["identity"]

    def _touched(self, line: Line, *, ended: bool = False) -> list[Known]:
        """The entries that an act may change."""
        if "to" not in line:
            return []
        if "id" in line:
            return [self.entries.setdefault(line["id"], Known(line.get("value", "")))]
        now = [known.before if ended else known.may_be for known in self.entries.values()]
        return [
            known
            for known, states in zip(self.entries.values(), now, strict=True)
            if any(state.startswith("applied/") for state in states)
        ]


def problems(world: World, view: Line) -> list[str]:
    """What is wrong with a journal that was looked through."""
    found = list(view["damages"])
    there = {entry["id"]: entry for entry in view["entries"]}
    for id, known in world.entries.items():
        found += _entry_problems(known, there.pop(id, None), id[:8])
    found += [f"a stranger: {id}" for id in there]
    seqs = [entry["seq"] for entry in view["entries"]]
    if seqs != sorted(set(seqs)):
        found.append(f"not in order: {seqs}")
    if world.identity not in (None, view["identity"]):
        found.append("another journal: its identity has changed")
    if view["token"] <= world.token:
        found.append(f"token {world.token} was given, and now {view['token']}")
    return found + _book_problems(world, view)


def _entry_problems(known: Known, entry: Line | None, name: str) -> list[str]:
    if entry is None:
        allowed = known.may_be & {NOWHERE, PRUNED}
        return [] if allowed else [f"LOST {name}: may be {sorted(known.may_be)}, and is not there"]
    found = []
    state = f"{entry['state']}/{entry['version']}"
    if state not in known.may_be:
        found.append(f"{name} may be {sorted(known.may_be)}, and is {state}")
    if entry["value"] != known.value:
        found.append(f"{name} has another content: {str(entry['value'])[:40]!r}")
    if known.seq not in (None, entry["seq"]):
        found.append(f"{name} had number {known.seq}, and has {entry['seq']}")
    if known.tainted and not entry["tainted"]:
        found.append(f"{name} has forgotten that it may have been applied")
    if entry["blocks"] is not (entry["state"] in _UNFINISHED):
        found.append(f"{name} is {entry['state']}, and others wait for it: {entry['blocks']}")
    verbs = ["requeue"] * (entry["version"] - 1) + ["discard"] * (entry["state"] == "discarded")
    if entry["acts"] != verbs:
        found.append(f"{name} is {state}, and on record is {entry['acts']}")
    return found


def _book_problems(world: World, view: Line) -> list[str]:
    counts = view["counts"]
    states = [entry["state"] for entry in view["entries"]]
    counted = {state: states.count(state) for state in set(states)}
    kept = {state: n for state, n in counts.items() if n and state not in ("pruned", "last_seq")}
    found = [] if kept == counted else [f"the counters say {kept}, the rows {counted}"]
    if sum(kept.values()) + counts["pruned"] != counts["last_seq"]:
        found.append(f"the equation does not hold: {counts}")
    gone = {entry["id"] for entry in view["entries"]}
    pruned = [id for id, known in world.entries.items() if PRUNED in known.may_be and id not in gone]
    if counts["pruned"] != len(pruned):
        found.append(f"pruned are {len(pruned)}, and the books say {counts['pruned']}")
    return found
