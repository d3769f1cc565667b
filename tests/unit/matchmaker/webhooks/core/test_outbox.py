"""The deliveries to one webhook: order, retries, dead letters and bounds."""

from collections import defaultdict
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchmaker.webhooks.core.outbox import Entry, Outbox
from pixelfleet.fleet.events import Event, Position, StoredEvent
from pixelfleet.service.backoff import Backoff

NOW: Final = 1000.0


def event(number: int, subject: str = "a") -> StoredEvent:
    event = Event(id=f"evt_{number}", type="session.queued", timestamp="")
    return StoredEvent(Position(f"{number}-0", number), subject, event)


def outbox(**words: Any) -> Outbox:
    return Outbox(**{"give_up_seconds": 100.0, "retry": Backoff(1.0, 8.0), **words})


def taken(box: Outbox, now: float) -> list[tuple[int, Entry]]:
    found = []
    while (each := box.take(now)) is not None:
        found.append(each)
    return found


def ids(entries: list[tuple[int, Entry]]) -> list[str]:
    return [entry.stored.event.id for _, entry in entries]


def test_an_event_waits_for_the_earlier_ones_of_its_session_only() -> None:
    box = outbox()
    for number, subject in enumerate("aabab", 1):
        box.add(event(number, subject), NOW)
    first = taken(box, NOW)
    assert ids(first) == ["evt_1", "evt_3"]
    box.succeeded(first[1][0], NOW)
    assert box.position == Position(), "the first event is not delivered yet"
    box.succeeded(first[0][0], NOW)
    assert box.position.number == 1
    assert ids(taken(box, NOW)) == ["evt_2", "evt_5"]
    assert (box.pending, box.delivered) == (3, 2)


def test_a_failed_event_is_sent_again_later_and_keeps_its_session_back() -> None:
    box = outbox()
    box.add(event(1), NOW)
    box.add(event(2), NOW)
    ((order, _),) = taken(box, NOW)
    assert not box.failed(order, NOW)
    assert taken(box, NOW + 0.99) == []
    assert box.wake_at() == NOW + 1.0
    ((order, entry),) = taken(box, NOW + 1.0)
    assert (entry.stored.event.id, entry.attempts) == ("evt_1", 2)
    assert not box.failed(order, NOW + 1.0)
    assert box.wake_at() == NOW + 3.0, "the delay has doubled"


def test_a_failing_receiver_gets_one_request_at_a_time() -> None:
    box = outbox()
    for number in range(1, 5):
        box.add(event(number, str(number)), NOW)
    entries = taken(box, NOW)
    assert len(entries) == 4
    for order, _ in entries:
        box.failed(order, NOW)
    assert box.failing
    (probe,) = taken(box, NOW + 1.0)
    box.succeeded(probe[0], NOW + 1.0)
    assert len(taken(box, NOW + 1.0)) == 3, "it has recovered"


def test_failures_of_simultaneous_requests_count_once() -> None:
    box = outbox()
    for number in range(1, 9):
        box.add(event(number, str(number)), NOW)
    for order, _ in taken(box, NOW):
        box.failed(order, NOW)
    assert box.wake_at() == NOW + 1.0


def test_a_receiver_may_request_a_longer_pause() -> None:
    box = outbox()
    box.add(event(1), NOW)
    box.failed(taken(box, NOW)[0][0], NOW, retry_after=5.0)
    assert box.wake_at() == NOW + 5.0
    box.failed(taken(box, NOW + 5.0)[0][0], NOW + 5.0, retry_after=1e9)
    assert box.wake_at() == NOW + 13.0, "at most the longest delay"


def test_an_event_is_given_up_after_its_time_and_the_next_one_follows() -> None:
    box = outbox(give_up_seconds=3.0)
    box.add(event(1), NOW)
    box.add(event(2), NOW + 2.0)
    now = NOW
    while not box.given_up:
        now = box.wake_at() or now
        box.failed(taken(box, now)[0][0], now)
    assert now == NOW + 3.0
    assert box.position.number == 1
    now = box.wake_at() or now
    ((order, entry),) = taken(box, now)
    assert entry.stored.event.id == "evt_2"
    box.succeeded(order, now)
    assert (box.delivered, box.given_up, box.pending, box.position.number) == (1, 1, 0, 2)


def test_one_refused_event_does_not_keep_others_out_for_ever() -> None:
    """A receiver that refuses one event and takes all others must not stop when the outbox is full."""
    box = outbox(window=10, give_up_seconds=1e9)
    number, now = 1, NOW
    box.add(event(0, "refused"), now)
    for _ in range(100):
        if box.given_up:
            break
        while box.room:
            box.add(event(number, str(number)), now)
            number += 1
        now = box.wake_at() or now
        for order, entry in taken(box, now):
            if entry.stored.subject == "refused":
                box.failed(order, now)
            else:
                box.succeeded(order, now)
    assert (box.given_up, box.position.number) == (1, 9)


def test_a_receiver_that_is_down_loses_nothing_to_the_window() -> None:
    box = outbox(window=4, give_up_seconds=1e9)
    for number in range(1, 5):
        box.add(event(number, str(number)), NOW)
    with pytest.raises(OverflowError):
        box.add(event(5), NOW)
    now = NOW
    for _ in range(100):
        now = box.wake_at() or now
        for order, _ in taken(box, now):
            assert not box.failed(order, now)
    assert (box.pending, box.given_up, box.oldest(now)) == (4, 0, now - NOW)


def test_a_store_without_its_data_gets_no_old_position() -> None:
    box = outbox()
    box.add(event(7), NOW)
    box.position = Position("6-0", 6)
    box.rebase()
    box.add(event(1), NOW)
    for _ in range(2):
        ((order, _),) = taken(box, NOW)
        box.succeeded(order, NOW)
    assert (box.delivered, box.position.number) == (2, 1)


Step = tuple[str, float]
STEPS = st.lists(
    st.tuples(st.sampled_from(("add", "add", "send", "succeed", "succeed", "fail", "wait")), st.floats(0, 1)),
    max_size=200,
)


class Course:
    """An outbox, its receiver, and what must be true after each step."""

    def __init__(self, sessions: int, window: int, give_up: float) -> None:
        self.box = outbox(window=window, give_up_seconds=give_up, concurrency=3)
        self.now = NOW
        self.sessions = sessions
        self.added = 0
        self.sending: dict[int, Entry] = {}
        self.over: set[int] = set()
        """The numbers of events that are delivered or given up."""
        self.by_session: dict[str, list[int]] = defaultdict(list)

    def step(self, step: str, chance: float) -> None:
        if step == "add" and self.box.room:
            self.add(str(int(chance * 0.999 * self.sessions)))
        elif step == "send":
            self.send()
        elif step in ("succeed", "fail"):
            self.end(chance, succeeds=step == "succeed")
        elif step == "wait":
            self.now += chance * 4

    def add(self, session: str) -> None:
        self.added += 1
        self.by_session[session].append(self.added)
        self.box.add(event(self.added, session), self.now)

    def send(self) -> None:
        before, allowed = len(self.sending), 1 if self.box.failing else 3
        for order, entry in taken(self.box, self.now):
            number, mine = entry.stored.position.number, self.by_session[entry.stored.subject]
            assert number not in self.over, "it is sent again after its end"
            assert all(each in self.over for each in mine[: mine.index(number)]), "an earlier event is not done"
            assert order not in self.sending
            self.sending[order] = entry
        assert len(self.sending) <= max(allowed, before)

    def end(self, chance: float, *, succeeds: bool) -> None:
        if not self.sending:
            return
        order = sorted(self.sending)[int(chance * 0.999 * len(self.sending))]
        number = self.sending.pop(order).stored.position.number
        if succeeds:
            self.box.succeeded(order, self.now)
            self.over.add(number)
        elif self.box.failed(order, self.now, chance):
            self.over.add(number)

    def check(self, position: int) -> None:
        """Check the bounds; `position` is the one before the step."""
        box = self.box
        assert box.position.number >= position
        assert set(range(1, box.position.number + 1)) <= self.over, "a later sender would leave out an event"
        assert box.pending == self.added - len(self.over)
        assert 0 <= box.room <= box.window
        assert box.delivered + box.given_up == len(self.over)

    def finish(self) -> None:
        """Let the receiver work from now on."""
        while self.box.pending:
            self.send()
            while self.sending:
                self.end(0.0, succeeds=True)
            self.now = max(self.now, self.box.wake_at() or self.now)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, sessions=st.integers(1, 5), window=st.integers(2, 20), give_up=st.sampled_from((2.0, 20.0, 1e9)))
def test_any_course_keeps_order_and_bounds(steps: list[Step], sessions: int, window: int, give_up: float) -> None:
    """Parallel sessions with any outcomes: order a session, bounds, and nothing is sent again after its end."""
    course = Course(sessions, window, give_up)
    for step, chance in steps:
        position = course.box.position.number
        course.step(step, chance)
        course.check(position)
    course.finish()
    assert course.over == set(range(1, course.added + 1))
    assert course.box.position.number == course.added
