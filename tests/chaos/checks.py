"""What must be true of a fleet under faults, checked from outside. No I/O, no clock: the times are passed in.

Each check records violations as texts. `tests/unit/chaos/test_checks.py` shows for each that it finds what it is for.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pixelfleet.fleet.model import FleetSnapshot
from pixelfleet.protocol.close_codes import find

KEPT: Final = 50
"""Texts of violations that are kept; further ones are counted."""


class Violations:
    """What was found, by check."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.texts: list[str] = []

    def add(self, check: str, text: str) -> None:
        """Record one."""
        self.counts[check] += 1
        if len(self.texts) < KEPT:
            self.texts.append(f"{check}: {text}")


CAPACITY: Final = "capacity"
FATE: Final = "fate of each player"
ORDER: Final = "messages"
SLOTS: Final = "slots"
CHECKS: Final = {
    CAPACITY: "No streamer has more players than its capacity. None has more leases, unless the store loses data. No "
    "server refuses a player because its slot is taken, unless the store loses data, or a request or a report is late.",
    FATE: "Each player waits and is informed, plays, or is away. None is ended for good, because no scenario has a "
    "reason for it. After the faults each one plays or waits again, and none waits while a slot is free.",
    ORDER: "The numbered messages between player and streamer are complete, single and in order within a session.",
    SLOTS: "After the last player has left or is lost, each slot is free again, and the store has each streamer.",
}
"""The checks, and what each one requires."""


class Capacity:
    """The players of each streamer, as the streamer counts them, and the leases of each in the store."""

    def __init__(self, capacity: int, violations: Violations) -> None:
        self._capacity = capacity
        self._violations = violations
        self._players: dict[str, set[str]] = {}
        self._suspects: frozenset[str] = frozenset()
        self.most = 0
        """The highest number of players that a streamer has had at once."""

    def joined(self, streamer: str, player: str) -> None:
        """Count a player that a streamer was notified of."""
        players = self._players.setdefault(streamer, set())
        players.add(player)
        self.most = max(self.most, len(players))
        if len(players) > self._capacity:
            self._violations.add(CAPACITY, f"{streamer} has {len(players)} players")

    def left(self, streamer: str, player: str) -> None:
        """Count a player's departure."""
        self._players.get(streamer, set()).discard(player)

    def lost(self, streamer: str) -> None:
        """Forget the players of a streamer that has lost its server."""
        self._players.pop(streamer, None)

    def leases(self, snapshot: FleetSnapshot) -> None:
        """Compare the leases in the store; only what two snapshots in a row have is a violation.

        The parts of a snapshot may be from different moments.
        """
        used = Counter(lease.streamer.key for lease in snapshot.leases if not lease.spectator)
        found = {key for key, count in used.items() if count > self._capacity}
        for key in sorted(found & self._suspects):
            self._violations.add(CAPACITY, f"{used[key]} leases of {key} in the store")
        self._suspects = frozenset(found)

    def refused(self, count: float) -> None:
        """Record the number of players that servers refused because their slot was taken."""
        if count:
            self._violations.add(CAPACITY, f"{count:g} players were matched with a taken slot")


class Order:
    """The numbered messages of one direction. A stream is one negotiation of one player."""

    def __init__(self, direction: str, violations: Violations) -> None:
        self._direction = direction
        self._violations = violations
        self._next: dict[str, int] = {}
        self.received = 0

    def took(self, stream: str, number: int) -> None:
        """Record a message; the numbers of a stream count from 0."""
        expected = self._next.get(stream, 0)
        if number != expected:
            self._violations.add(ORDER, f"{self._direction} {stream}: {number} came in place of {expected}")
        self._next[stream] = number + 1
        self.received += 1

    def count(self, stream: str) -> int:
        """Return the number of messages of a stream."""
        return self._next.get(stream, 0)

    def complete(self, stream: str, sent: int) -> None:
        """Compare the number of messages at rest with what was sent."""
        if self.count(stream) != sent:
            self._violations.add(ORDER, f"{self._direction} {stream}: {self.count(stream)} of {sent} arrived")


class Fate(Enum):
    """What a player is doing, as its page observes it."""

    CONNECTING = "connecting"
    """It has no connection, or one that has not brought it anything yet."""
    WAITING = "waiting"
    """It was informed of its place, and its heartbeat is answered."""
    PLAYING = "playing"
    """It has its offer, and its heartbeat is answered."""
    AWAY = "away"
    """It has a session and no connection."""
    ENDED = "ended"


SETTLED: Final = frozenset({Fate.WAITING, Fate.PLAYING, Fate.ENDED})


@dataclass
class _Player:
    fate: Fate = Fate.CONNECTING
    since: float = 0.0
    late: bool = False
    """Whether its delay is recorded already."""


@dataclass
class Fates:
    """The fates of all players."""

    violations: Violations
    patience: float
    """The seconds for which a player may be neither waiting nor playing while there is no fault."""
    _players: dict[str, _Player] = field(default_factory=dict)
    ends: Counter[int] = field(default_factory=Counter)
    """The codes with which players have ended."""

    def become(self, player: str, fate: Fate, now: float) -> None:
        """Record a change."""
        known = self._players.setdefault(player, _Player(since=now))
        if known.fate in SETTLED or fate in SETTLED:
            known.since, known.late = now, False
        known.fate = fate

    def ended(self, player: str, code: int, now: float) -> None:
        """Record the end of a player that may not connect again: no scenario has a reason for it."""
        self.become(player, Fate.ENDED, now)
        self.ends[code] += 1
        label = known.label if (known := find(code)) is not None else "in no catalogue"
        self.violations.add(FATE, f"{player} has ended with {code} ({label})")

    def gone(self, player: str) -> None:
        """Forget a player that has left."""
        self._players.pop(player, None)

    def count(self, fate: Fate) -> int:
        """Return the number of players with this fate."""
        return sum(1 for each in self._players.values() if each.fate is fate)

    def check(self, now: float, calm_since: float | None) -> None:
        """Find players that are neither waiting nor playing for too long; None while there is a fault."""
        if calm_since is None:
            return
        for name, each in self._players.items():
            if each.fate not in SETTLED and not each.late and now - max(each.since, calm_since) > self.patience:
                each.late = True
                self.violations.add(FATE, f"{name} is {each.fate.value} for {now - each.since:.0f} s")

    @property
    def settled(self) -> bool:
        """Whether each player waits, plays or has ended."""
        return all(each.fate in SETTLED for each in self._players.values())


def slots_free(snapshot: FleetSnapshot, names: Iterable[str]) -> list[str]:
    """Return what differs from a fleet whose streamers, with these endpoint ids, are all there and free."""
    wanted, found = set(names), {view.report.endpoint_id for view in snapshot.streamers if view.report.ready}
    wrong = [f"{name} is not in the store" for name in sorted(wanted - found)]
    wrong += [f"{name} is in the store" for name in sorted(found - wanted)]
    for view in snapshot.streamers:
        if used := len(view.report.sessions) + view.leased:
            wrong.append(f"{used} slots of {view.report.endpoint_id} are occupied")
    if snapshot.queue:
        wrong.append(f"{len(snapshot.queue)} tickets are in the queue")
    return wrong
