"""The deliveries to one webhook: the order of each session, retries, and what is given up. No I/O, no clock.

An event is sent when all earlier ones of its subject are delivered or given up. Events of other subjects do not wait
for it. After a failure the receiver has a pause, and then gets one request at a time until one succeeds.
"""

import heapq
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

from pixelfleet.fleet.events import Position, StoredEvent
from pixelfleet.service.backoff import Backoff

WINDOW: Final = 1024
"""Events that are in an outbox at once: those that are not delivered, and those after the first of them."""

START: Final = Position()

CONCURRENCY: Final = 8
"""Simultaneous requests to one receiver."""

RETRY: Final = Backoff(first=1.0, longest=60.0)
"""The delays between the attempts of one event, and the pauses of a receiver."""


@dataclass(slots=True, eq=False)
class Entry:
    """One event in an outbox."""

    stored: StoredEvent
    added: float
    """The time at which it was added, in seconds."""
    attempts: int = 0
    due: float = 0.0
    """The time of the next attempt."""
    sending: bool = False
    done: bool = False


@dataclass(slots=True)
class Outbox:
    """The deliveries to one webhook. All times are in seconds on one clock of the caller."""

    give_up_seconds: float
    """An event is given up when an attempt fails this long after it was added."""
    window: int = WINDOW
    concurrency: int = CONCURRENCY
    retry: Backoff = RETRY
    position: Position = START
    """All events until this one are delivered or given up: a later sender begins here."""
    delivered: int = 0
    """The number of delivered events."""
    given_up: int = 0
    """The number of events that were given up: dead letters."""
    _entries: OrderedDict[int, Entry] = field(default_factory=OrderedDict)
    """All entries that the position has not passed, by their order."""
    _subjects: dict[str, deque[int]] = field(default_factory=dict)
    """The entries of each subject that are not done, in their order."""
    _heads: list[tuple[float, int]] = field(default_factory=list)
    """A heap of the times and orders of the first entries of the subjects; others in it are void."""
    _next: int = 0
    _sending: int = 0
    _failures: int = 0
    """The failures of the receiver in a row."""
    _paused_until: float = 0.0

    @property
    def room(self) -> int:
        """How many further events can be added."""
        return self.window - len(self._entries)

    @property
    def pending(self) -> int:
        """The number of events that are neither delivered nor given up."""
        return sum(map(len, self._subjects.values()))

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def oldest(self, now: float) -> float:
        """Return how long the first event that is not done has been here; 0 without one."""
        first = next(iter(self._entries.values()), None)
        return now - first.added if first is not None else 0.0

    def add(self, stored: StoredEvent, now: float) -> None:
        """Add an event after all others. Raises OverflowError when there is no room."""
        if self.room <= 0:
            raise OverflowError("the outbox is full")
        order, self._next = self._next, self._next + 1
        self._entries[order] = Entry(stored, now, due=now)
        waiting = self._subjects.setdefault(stored.subject, deque())
        waiting.append(order)
        if len(waiting) == 1:
            heapq.heappush(self._heads, (now, order))

    def rebase(self) -> None:
        """Forget all positions, which a store without its data does not know; the events themselves stay."""
        for entry in self._entries.values():
            entry.stored = entry.stored._replace(position=START)
        self.position = START

    def take(self, now: float) -> tuple[int, Entry] | None:
        """Return the next event to send now, with its order; None if there is none yet."""
        if self._sending >= (1 if self.failing else self.concurrency) or now < self._paused_until:
            return None
        while self._heads and self._heads[0][0] <= now:
            due, order = heapq.heappop(self._heads)
            entry = self._entries.get(order)
            if entry is None or entry.done or entry.sending or entry.due != due:
                continue
            entry.sending = True
            entry.attempts += 1
            self._sending += 1
            return order, entry
        return None

    def wake_at(self) -> float | None:
        """Return the time of the next attempt; None if nothing waits for a time."""
        if self._sending >= (1 if self.failing else self.concurrency) or not self._heads:
            return None
        return max(self._heads[0][0], self._paused_until)

    def succeeded(self, order: int, now: float) -> None:
        """Record that an event is delivered."""
        self._failures, self._paused_until = 0, 0.0
        self.delivered += 1
        self._finish(order, now)

    def failed(self, order: int, now: float, chance: float = 1.0, retry_after: float = 0.0) -> bool:
        """Record that an attempt has failed; return whether the event is given up.

        `chance`, from 0 to 1, is the jitter of the delay. `retry_after` is a time for which the receiver has requested
        no attempt, which is at most the longest delay.
        """
        requested = min(retry_after, self.retry.longest)
        if now >= self._paused_until:  # otherwise the attempt began before the last failure
            self._failures += 1
            self._paused_until = now + max(self.retry.delay(self._failures, chance), requested)
        entry = self._entries[order]
        if now - entry.added >= self.give_up_seconds or self._blocks(order):
            self.given_up += 1
            self._finish(order, now)
            return True
        self._sending -= 1
        entry.sending = False
        entry.due = now + max(self.retry.delay(entry.attempts, chance), requested)
        heapq.heappush(self._heads, (entry.due, order))
        return False

    def _blocks(self, order: int) -> bool:
        """Return whether an event keeps others out: the outbox is full of delivered events after this first one."""
        if self.room > 0 or next(iter(self._entries)) != order:
            return False
        return 2 * self.pending <= self.window

    def _finish(self, order: int, now: float) -> None:
        entry = self._entries[order]
        entry.sending, entry.done = False, True
        self._sending -= 1
        waiting = self._subjects[entry.stored.subject]
        waiting.popleft()
        if waiting:
            following = self._entries[waiting[0]]
            following.due = max(following.due, now)
            heapq.heappush(self._heads, (following.due, waiting[0]))
        else:
            del self._subjects[entry.stored.subject]
        while self._entries and next(iter(self._entries.values())).done:
            _, first = self._entries.popitem(last=False)
            self.position = first.stored.position
