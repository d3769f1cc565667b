"""The sender of one webhook, with a store in memory and a receiver in the test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, cast

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from matchmaker.webhooks import sender as sender_module
from matchmaker.webhooks.core.outbox import Outbox
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Posted, Poster, PostError
from matchmaker.webhooks.sender import Sender
from pixelfleet.fleet.events import Event, Position, Turn
from pixelfleet.fleet.model import Ticket
from pixelfleet.service.backoff import Backoff
from pixelfleet.service.lifecycle import background
from tests.parts import eventually
from tests.unit.matchmaker.brokers import Store

NOW: Final = 1_800_000_000.0


class FakePoster:
    """Records the events; `fails` decides about each request, and `body` is the answer."""

    def __init__(self) -> None:
        self.sent: list[Event] = []
        self.fails: Callable[[Event], bool] = lambda _: False
        self.body: bytes | None = b""

    def now(self) -> float:
        return NOW

    async def post(self, message_id: str, body: bytes) -> Posted:
        event = msgspec.json.decode(body, type=Event)
        assert event.id == message_id
        if self.fails(event):
            raise PostError("status", "it answered with HTTP 500")
        self.sent.append(event)
        return Posted(200, self.body)


class World:
    """A store, a receiver, and senders for one webhook."""

    def __init__(self) -> None:
        self.store = Store()
        self.receiver = FakePoster()
        self.registry = CollectorRegistry()
        self.metrics = WebhookMetrics(self.registry)

    def value(self, name: str) -> float:
        return self.registry.get_sample_value(f"matchmaker_webhook_{name}", {"webhook": "hook"}) or 0.0

    async def queue(self, *sessions: str) -> None:
        for session in sessions:
            await self.store.inner.join(Ticket(session_id=session, replica_id="r1", app="app"))

    async def play_with_a_warning(self, session: str) -> None:
        """Let a session play until it is warned."""
        await self.store.streamer(sequence=1)
        await self.store.inner.join(Ticket(session_id=session, replica_id="r1", app="default"))
        await self.store.streamer(sequence=2, sessions=(session,))
        await self.store.streamer(sequence=3, sessions=(session,), warned=(f"{session} time",))

    async def received(self, count: int) -> list[Event]:
        await eventually(lambda: len(self.receiver.sent) >= count, f"{count} events are received")
        return self.receiver.sent

    def sender(self, name: str = "one", **words: Any) -> Sender:
        options = {"sender_id": name, "request_seconds": 1.0, "retry_seconds": 600.0, "keep": 1000, **words}
        make_outbox = partial(Outbox, retry=Backoff(0.001, 0.002))
        poster = cast("Poster", self.receiver)
        return Sender(self.store.real, "hook", poster, self.metrics, make_outbox=make_outbox, **options)

    @asynccontextmanager
    async def running(self, name: str = "one", **words: Any) -> AsyncIterator[Sender]:
        """Run a sender that has the lead."""
        sender = self.sender(name, **words)
        async with background(sender.run()):
            await eventually(lambda: sender.leads, "it has the lead")
            yield sender


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(sender_module, "TURN_SECONDS", 0.01)
    return World()


async def test_events_are_sent_in_order_and_the_next_sender_goes_on(world: World) -> None:
    async with world.running():
        await world.queue("a", "b")
        await world.received(2)
    await world.queue("c")
    async with world.running("two"):
        found = await world.received(3)
    assert [event.data.session for event in found] == ["a", "b", "c"]
    assert (world.value("events_pending"), world.value("delay_seconds")) == (0, 0)


async def test_a_failed_event_is_repeated_with_the_same_id(world: World) -> None:
    failed: list[str] = []
    world.receiver.fails = lambda event: len(failed) < 3 and not failed.append(event.id)  # type: ignore[func-returns-value]
    async with world.running():
        await world.queue("a")
        (event,) = await world.received(1)
    assert failed == [event.id] * 3


async def test_an_event_is_given_up_and_counted(world: World) -> None:
    world.receiver.fails = lambda event: event.type == "session.queued"
    async with world.running(retry_seconds=0.0):
        await world.queue("a")
        await world.store.inner.leave("a")
        (event,) = await world.received(1)
    assert event.type == "session.ended"
    assert world.value("dead_letters_total") == 1


async def test_a_second_sender_waits_and_takes_over_when_the_first_one_ends(world: World) -> None:
    second = world.sender("two")
    async with AsyncExitStack() as stack:
        async with world.running("one"):
            await stack.enter_async_context(background(second.run()))
            await world.queue("a")
            await world.received(1)
            assert (second.leads, second.pending, second.delay) == (False, 0, 0.0)
        await eventually(lambda: second.leads, "the second one has the lead")


async def test_a_sender_whose_lead_has_ended_sends_nothing(world: World) -> None:
    """A sender that was suspended wakes up behind another one."""
    async with world.running() as sender:
        await world.queue("a")
        await world.received(1)
        world.store.clock.now += 60
        await world.store.inner.take_turn(Turn(webhook="hook", sender="two", lead_seconds=60.0, keep=1000))
        await eventually(lambda: not sender.leads, "it knows that it has lost the lead")
        await world.queue("b")
        for _ in range(20):
            await asyncio.sleep(0.001)
    assert [event.data.session for event in world.receiver.sent] == ["a"]


async def test_the_sender_survives_an_unavailable_store(world: World) -> None:
    async with world.running():
        world.store.unavailable = True
        turns = len(world.store.calls_of("take_turn"))
        await eventually(lambda: len(world.store.calls_of("take_turn")) > turns + 2, "it tries again")
        world.store.unavailable = False
        await world.queue("a")
        await world.received(1)


async def test_a_store_that_lost_its_data_is_reported_and_the_outbox_survives(world: World) -> None:
    down = True
    world.receiver.fails = lambda _: down
    async with world.running() as sender:
        await world.queue("a")
        await eventually(lambda: sender.pending == 1, "the event is read")
        world.store.reset()
        await eventually(lambda: sender.pending == 2, "the loss is known")
        await world.queue("b")
        down = False
        found = await world.received(3)
    assert sorted(event.type for event in found) == ["events.lost", "session.queued", "session.queued"]
    (lost,) = (event for event in found if event.type == "events.lost")
    assert lost.data.count is None
    assert [event.data.session for event in found if event.data.session] == ["a", "b"]


async def test_events_that_only_this_replica_had_are_counted_when_it_loses_the_lead(world: World) -> None:
    async with world.running() as sender:
        await world.queue("a", "b")
        await world.received(2)
        await eventually(lambda: sender.pending == 0, "all are delivered")
        world.receiver.fails = lambda _: True
        await world.queue("c")
        await eventually(lambda: sender.pending == 1, "one is read")
        world.store.reset()
        turn = Turn(webhook="hook", sender="two", lead_seconds=60.0, keep=1000, known=Position("1-0", 1))
        await world.store.inner.take_turn(turn)
        await eventually(lambda: not sender.leads, "it has lost the lead")
    assert world.value("events_lost_total") == 1


async def test_a_queue_that_was_too_short_is_reported_with_the_number(world: World) -> None:
    async with world.running(keep=2):
        await world.queue("a")
        await world.received(1)
    await world.queue(*"bcdef")
    async with world.running("two", keep=2):
        found = await world.received(4)
    assert {event.data.session for event in found} == {"a", "", "e", "f"}
    assert [event.data.count for event in found if event.type == "events.lost"] == [3]
    assert world.value("events_lost_total") == 3


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"extendSeconds": 60}', [60.0]),
        (b"{}", []),
        (b"", []),
        (b'{"extendSeconds": -1}', []),
        (None, []),
    ],
)
async def test_the_answer_to_a_warning(world: World, body: bytes | None, seconds: list[float]) -> None:
    world.receiver.body = body
    async with world.running():
        await world.play_with_a_warning("a")
        await world.received(4)
        await eventually(lambda: len(world.store.calls_of("extend")) == len(seconds), "the session is extended")
    assert [arguments[1] for arguments in world.store.calls_of("extend")] == seconds
