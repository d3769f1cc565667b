"""Webhooks: a real Redis, and a real receiver that fails."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client import CollectorRegistry

from matchmaker.webhooks.core.outbox import Outbox
from matchmaker.webhooks.core.signature import keys_of
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Poster, client_session
from matchmaker.webhooks.sender import Sender
from pixelfleet.fleet.bounds import WARM_UP_SECONDS
from pixelfleet.fleet.model import Reported, ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.open import PREFIX, open_store
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.service.backoff import Backoff
from pixelfleet.service.lifecycle import background
from tests.integration.webhook_receivers import SECRET, Behaviour, Receiver, running_receiver
from tests.parts import eventually, program
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server

WHOLE: Final = ["session.queued", "session.matched", "session.playing", "session.ended"]


class Clock:
    """The clock of the store, which a test may put forward."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


class Fleet:
    """A store, and the sessions of a test in it. Its streamer serves any number of players."""

    def __init__(self, store: FleetStore) -> None:
        self.store = store
        self._sequence = 0

    async def queue(self, *sessions: str) -> None:
        for session in sessions:
            await self.store.join(Ticket(session_id=session, replica_id="r1", app="app"))

    async def report(self, playing: tuple[str, ...] = (), warned: tuple[str, ...] = ()) -> Reported:
        self._sequence += 1
        fields = {"endpoint_id": "cam", "app": "app", "url": "ws://s1", "capacity": 0}
        streamer = StreamerReport(server_id="s1", sessions=playing, warned=warned, **fields)  # type: ignore[arg-type]
        return await self.store.report(ServerReport(server_id="s1", sequence=self._sequence, streamers=(streamer,)))

    async def play(self, *sessions: str) -> None:
        """Match, play and end sessions that wait; then the streamer leaves."""
        await self.report()
        await self.store.renew("r1", "")
        await self.report(playing=sessions)
        await self.report()
        self._sequence += 1
        await self.store.report(ServerReport(server_id="s1", sequence=self._sequence))


class World:
    """A Redis server, senders, and their metrics."""

    def __init__(self, redis: RedisServer, store: FleetStore, clock: Clock) -> None:
        self.redis = redis
        self.clock = clock
        self.fleet = Fleet(store)
        self.registry = CollectorRegistry()
        self.metrics = WebhookMetrics(self.registry)

    async def warm_up(self) -> None:
        """Begin an epoch, and let its warm-up pass."""
        await eventually(self.fleet.store.totals, "the store is available", tolerating=(StoreUnavailableError,))
        self.clock.offset += WARM_UP_SECONDS

    async def begun(self) -> bool:
        """Return whether a sender has the lead over the webhook."""
        return bool(await ask(self.redis.url, "HEXISTS", f"{PREFIX}webhooks", "hook sender"))

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"matchmaker_{name}", {"webhook": "hook", **labels}) or 0.0

    @asynccontextmanager
    async def sender(
        self,
        receiver: Receiver,
        name: str = "one",
        *,
        retry_seconds: float = 600.0,
        keep: int = 10_000,
        waits: bool = True,
    ) -> AsyncIterator[Sender]:
        """Run a sender that retries after hundredths of a second, once it has the lead."""
        async with client_session(None, 8) as session:
            sender = Sender(
                self.fleet.store,
                "hook",
                Poster(session, receiver.url, keys_of(SECRET), 0.5),
                self.metrics,
                sender_id=name,
                request_seconds=0.5,
                retry_seconds=retry_seconds,
                keep=keep,
                make_outbox=partial(Outbox, retry=Backoff(0.01, 0.05)),
            )
            async with background(sender.run()):
                if waits:
                    await eventually(lambda: sender.leads, "the sender has the lead")
                yield sender


@pytest.fixture
async def world(own_redis: RedisServer) -> AsyncIterator[World]:
    clock = Clock()
    async with open_store(own_redis.url, clock=clock) as store:
        world = World(own_redis, store, clock)
        await world.warm_up()
        yield world


FAILURES: Final[tuple[Behaviour, ...]] = ("500", "hang", "close", "redirect")


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_receiver_that_fails_gets_each_event_in_the_order_of_its_session(
    world: World, failure: Behaviour
) -> None:
    """Every event fails at its first attempt, and some at later ones."""
    failures: dict[str, int] = {}

    def behaviour(body: dict[str, Any]) -> Behaviour:
        count = failures[body["id"]] = failures.get(body["id"], 0) + 1
        return failure if count == 1 or (count == 2 and body["type"] == "session.matched") else "ok"

    sessions = ["a", "b", "c"]
    async with running_receiver(Receiver(behaviour)) as receiver, world.sender(receiver):
        await world.fleet.queue(*sessions)
        await world.fleet.play(*sessions)
        await receiver.has(14)
    for session in sessions:
        assert receiver.events(session) == WHOLE
    assert receiver.events("s1/cam") == ["streamer.up", "streamer.down"]
    assert len(receiver.accepted) == 14, "none was accepted twice"
    assert sorted(failures.values()) == [2] * 11 + [3] * 3
    assert receiver.redirected == 0
    assert receiver.most_at_once <= 8
    assert world.value("webhook_requests_total", outcome="ok") == 14
    assert world.value("webhook_requests_total", outcome="failed") == 17
    assert world.value("webhook_events_lost_total") == world.value("webhook_dead_letters_total") == 0


@pytest.mark.parametrize("answer", ["large", "forever"])
async def test_an_answer_that_is_too_large_is_not_read(world: World, answer: Behaviour) -> None:
    async with running_receiver(Receiver(lambda _: answer)) as receiver, world.sender(receiver):
        await world.fleet.queue("a")
        await eventually(lambda: receiver.attempts, "it has a request")
        await world.fleet.store.leave("a")
        await eventually(lambda: len(receiver.attempts) > 1, "it has another request")
    assert len({event_id for event_id, _ in receiver.attempts}) == 2


async def test_a_receiver_that_is_down_gets_all_events_later(world: World) -> None:
    async with running_receiver() as receiver:
        pass  # its port is closed now
    async with world.sender(receiver) as sender:
        await world.fleet.queue("a", "b")
        await world.fleet.play("a", "b")
        await eventually(lambda: world.value("webhook_requests_total", outcome="failed") > 5, "it was tried again")
        assert sender.pending == 10
        assert world.value("webhook_delay_seconds") > 0
        async with running_receiver(receiver):
            await receiver.has(10)
    assert [receiver.events(session) for session in ("a", "b")] == [WHOLE, WHOLE]
    assert len(receiver.accepted) == 10
    assert world.value("webhook_events_lost_total") == 0


async def test_another_sender_goes_on_where_the_last_one_has_stopped(world: World) -> None:
    async with running_receiver() as receiver:
        async with world.sender(receiver, "one"):
            await world.fleet.queue("a")
            await receiver.has(1)
        await world.fleet.queue("b")
        async with world.sender(receiver, "two"):
            await receiver.has(2)
            await world.fleet.play("a", "b")
            await receiver.has(10)
    assert [receiver.events(session) for session in ("a", "b")] == [WHOLE, WHOLE]
    assert len(receiver.accepted) == 10


async def test_a_killed_sender_loses_nothing(world: World, tmp_path: Path) -> None:
    """The process is killed while the receiver has one of its requests and others wait."""
    held = asyncio.Event()

    def behaviour(body: dict[str, Any]) -> Behaviour:
        if body["type"] == "session.matched" and not killed:
            held.set()
            return "hang"
        return "ok"

    killed = False
    (tmp_path / "secret").write_text(SECRET)
    async with running_receiver(Receiver(behaviour)) as receiver, AsyncExitStack() as stack:
        options = ("--host", "127.0.0.1", "--port", "0", "--metrics-port", "0", "--redis-url", world.redis.url)
        webhook = ("--webhooks", f"hook={receiver.url}", "--webhook-secret-file", str(tmp_path / "secret"))
        command = (
            sys.executable,
            "-m",
            "pixelfleet_cli.cli",
            "matchmaker",
            *options,
            *webhook,
            "--webhook-seconds",
            "1",
        )
        first = await stack.enter_async_context(program(*command))
        await eventually(world.begun, "the first matchmaker has the lead")
        await stack.enter_async_context(program(*command))
        await world.fleet.queue("a", "b")
        await receiver.has(2)
        await world.fleet.play("a", "b")
        await held.wait()
        first.send_signal(signal.SIGKILL)
        await first.wait()
        killed = True
        await receiver.has(10)
    assert [receiver.events(session) for session in ("a", "b")] == [WHOLE, WHOLE]
    assert len(set(receiver.ids())) == 10, "no event has another id"


async def test_a_store_that_restarts_empty_loses_what_was_not_read_and_reports_it(world: World) -> None:
    """The events that the sender had read are delivered, then the gap is reported, then what follows."""
    down = True

    def behaviour(_: dict[str, Any]) -> Behaviour:
        return "500" if down else "ok"

    async with running_receiver(Receiver(behaviour)) as receiver, world.sender(receiver) as sender:
        await world.fleet.queue("a")
        await eventually(lambda: sender.pending == 1, "the event is read")
        world.redis.kill()
        world.redis.start()
        await eventually(lambda: sender.pending == 2, "the gap is known")
        await world.warm_up()
        await world.fleet.queue("b")
        await world.fleet.play("b")
        down = False
        await receiver.has(8)
        assert [receiver.events("a"), receiver.events("b")] == [["session.queued"], WHOLE]
        assert [body["data"] for body in receiver.accepted if body["type"] == "events.lost"] == [{}]
        assert len(receiver.accepted) == 8
        async with running_receiver() as other, world.sender(other, "two", waits=False):
            await world.fleet.queue("c")
            await receiver.has(9)
    assert len(set(receiver.ids())) == 9


async def test_a_queue_that_is_too_short_counts_what_it_loses(world: World) -> None:
    async with running_receiver() as receiver:
        async with world.sender(receiver, keep=3):
            await world.fleet.queue("a")
            await receiver.has(1)
        await world.fleet.queue(*"bcdefg")
        async with world.sender(receiver, keep=3):
            await receiver.has(5)
    (lost,) = (body for body in receiver.accepted if body["type"] == "events.lost")
    assert lost["data"] == {"count": 3}
    assert {body["data"].get("session") for body in receiver.accepted} == {None, "a", "e", "f", "g"}
    assert world.value("webhook_events_lost_total") == 3


async def test_a_refused_event_is_given_up_and_the_rest_of_its_session_follows(world: World) -> None:
    refused = Receiver(lambda body: "500" if body["type"] == "session.matched" else "ok")
    async with running_receiver(refused) as receiver, world.sender(receiver, retry_seconds=0.1):
        await world.fleet.queue("a")
        await world.fleet.play("a")
        await receiver.has(5)
    assert receiver.events("a") == ["session.queued", "session.playing", "session.ended"]
    assert world.value("webhook_dead_letters_total") == 1


async def test_an_answer_to_a_warning_extends_the_session(world: World) -> None:
    extends = Receiver(answer=lambda body: {"extendSeconds": 600} if body["type"] == "session.warning" else {})
    async with running_receiver(extends) as receiver, world.sender(receiver):
        await world.fleet.queue("a")
        await world.fleet.report()
        await world.fleet.store.renew("r1", "")
        for warned in ((), ("a idle",)):
            await world.fleet.report(playing=("a",), warned=warned)

        async def extended() -> bool:
            return ("a", 600.0) in (await world.fleet.report(playing=("a",))).extend

        await eventually(extended, "its server is asked to extend it")
    (warning,) = (body for body in receiver.accepted if body["type"] == "session.warning")
    assert (warning["data"]["session"], warning["data"]["limit"]) == ("a", "idle")
