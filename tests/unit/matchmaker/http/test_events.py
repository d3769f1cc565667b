"""The events that listeners receive. tests/integration covers the HTTP side."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.http import events, schemas, views
from matchmaker.http.events import (
    MAX_PENDING_EVENTS,
    STREAMERS_PER_EVENT,
    Events,
    Listener,
    differences,
    streamer_events,
)
from matchmaker.http.fleet_reader import FleetReader
from pixelfleet.fleet.events import Turn
from pixelfleet.fleet.model import StreamerReport, StreamerView, Ticket
from pixelfleet.fleet.records import Origin
from tests.unit.matchmaker.brokers import Store

ParsedEvent = tuple[str, Any]


def parse(data: bytes) -> ParsedEvent:
    name, _, text = data.decode().removeprefix("event: ").rstrip("\n").partition("\ndata: ")
    return name, orjson.loads(text)


class Dashboard:
    """A listener that applies the events to its own copy of the fleet."""

    def __init__(self, source: Events, *, named: bool = False) -> None:
        self.listener = Listener(named)
        self.source = source
        source._listeners.add(self.listener)
        self._parts = source._events(self.listener)
        self.streamers: dict[str, Any] = {}
        self.totals: list[Any] = []
        self.wholes = 0
        self.events: list[Any] = []

    async def receive(self) -> None:
        """Apply all pending events."""
        self.listener.waiting.put_nowait(b"event: end\ndata: 0\n\n")
        async for part in self._parts:
            if part.startswith(b"event: end"):
                return
            if not part.startswith(b"retry"):
                for one in part.removesuffix(b"\n\n").split(b"\n\n"):
                    self.apply(*parse(one))

    def apply(self, name: str, data: Any) -> None:
        if name == "totals":
            self.totals.append(data)
        elif name == "event":
            self.events.append(data)
        elif name == "streamers":
            self.wholes += data["whole"]
            if data["whole"]:
                self.streamers.clear()
            self.streamers |= {view["id"]: view for view in data["changed"]}
            for key in data["gone"]:
                del self.streamers[key]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def source(store: Store) -> Events:
    reader = FleetReader(store.real)
    source = Events(store.real, reader, names_players=lambda _: False)
    cached_push = source.push

    async def push() -> None:
        reader.invalidate()
        await cached_push()

    source.push = push  # type: ignore[method-assign]  # never from the cache
    return source


async def test_a_listener_receives_the_whole_fleet_and_then_changes(store: Store, source: Events) -> None:
    for number in range(1, 4):
        await store.streamer(number)
    first = Dashboard(source)
    await source.push()
    await first.receive()
    assert sorted(first.streamers) == ["s1/cam", "s2/cam", "s3/cam"]
    assert first.totals[-1]["apps"][0]["streamers"] == 3
    await store.inner.set_operator_drain("s2/cam", True)
    second = Dashboard(source)
    await source.push()
    for dashboard in (first, second):
        await dashboard.receive()
        assert dashboard.streamers["s2/cam"]["state"] == "draining"
        assert dashboard.wholes == 1
    store.clock.now += 60
    await source.push()
    await first.receive()
    assert first.streamers == {}


async def test_unchanged_streamers_are_not_sent(store: Store, source: Events) -> None:
    await store.streamer()
    dashboard = Dashboard(source)
    await source.push()
    await dashboard.receive()
    await source.push()
    assert dashboard.listener.waiting.qsize() == 1
    await dashboard.receive()
    assert len(dashboard.totals) == 2


async def test_too_many_changes_are_sent_as_the_whole_fleet(
    store: Store, source: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_CHANGES", 5)
    dashboard = Dashboard(source)
    await source.push()
    await dashboard.receive()
    for number in range(1, 10):
        await store.streamer(number)
    await source.push()
    assert dashboard.listener.waiting.qsize() == 1
    await dashboard.receive()
    assert (len(dashboard.streamers), dashboard.wholes) == (9, 2)


async def test_a_slow_listener_is_dropped_and_the_others_continue(store: Store, source: Events) -> None:
    slow, quick = Dashboard(source), Dashboard(source)
    for _ in range(MAX_PENDING_EVENTS + 1):
        await source.push()
        await quick.receive()
    assert slow.listener.dropped
    assert len(source) == 1
    assert not quick.listener.dropped
    assert slow.listener.waiting.qsize() == 1
    assert slow.listener.waiting.get_nowait() is None


async def test_close_ends_all_streams(source: Events) -> None:
    dashboard = Dashboard(source)
    source.close()
    assert [part async for part in dashboard._parts] == [b"retry: 2000\n\n"]
    assert not dashboard.listener.dropped


def streamer(name: object, players: int = 0) -> schemas.Streamer:
    report = StreamerReport(server_id="s", endpoint_id=str(name), app="a", url="ws://h", legacy=True, players=players)
    return views.streamer_view(StreamerView(report=report, seen=1.0, used=0.0, leased=0), 1.0)


fleets = st.dictionaries(
    st.text(max_size=3), st.integers(0, 3).map(lambda players: streamer("cam", players)), max_size=8
)


@given(fleets, fleets)
def test_differences_turn_one_fleet_into_the_other(
    before: dict[str, schemas.Streamer], now: dict[str, schemas.Streamer]
) -> None:
    changed, gone = differences(before, now)
    result = {**before, **changed}
    for key in gone:
        del result[key]
    assert result == now
    assert not set(changed) & set(gone)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_events_are_bounded_and_complete(changed: int, gone: int) -> None:
    fleet = {str(number): streamer(number) for number in range(changed)}
    parts = [parse(data)[1] for data in streamer_events(fleet, ["x"] * gone)]
    assert all(len(part["changed"]) + len(part["gone"]) <= STREAMERS_PER_EVENT for part in parts)
    assert [view["endpointId"] for part in parts for view in part["changed"]] == list(fleet)
    assert sum(len(part["gone"]) for part in parts) == gone


def test_an_empty_fleet_is_sent_too() -> None:
    assert [parse(data)[1] for data in streamer_events({}, [], whole=True)] == [
        {"whole": True, "changed": [], "gone": []}
    ]


async def test_listeners_receive_the_events_since_they_connected(store: Store, source: Events) -> None:
    await store.real.take_turn(Turn(webhook="", sender="", lead_seconds=0.0, keep=1000))
    await store.streamer(1)
    dashboard = Dashboard(source)
    await source.push()
    await store.streamer(2)
    await store.streamer(3)
    await source.push()
    await dashboard.receive()
    assert [each["data"]["streamer"] for each in dashboard.events] == ["s2/cam", "s3/cam"]
    assert dashboard.events[0]["type"] == "streamer.up"


async def test_listeners_are_informed_about_lost_events(store: Store, source: Events) -> None:
    await store.real.take_turn(Turn(webhook="", sender="", lead_seconds=0.0, keep=3))
    dashboard = Dashboard(source)
    await source.push()
    for number in range(5):
        await store.streamer(number)
    await source.push()
    await dashboard.receive()
    assert [each["type"] for each in dashboard.events] == ["events.lost", *["streamer.up"] * 3]
    assert dashboard.events[0]["data"] == {"count": 2}


async def test_only_a_listener_with_the_token_receives_who_played(store: Store, source: Events) -> None:
    await store.real.take_turn(Turn(webhook="", sender="", lead_seconds=0.0, keep=1000))
    await store.real.keep_records(1000, 86_400)
    anonymous, operator = Dashboard(source), Dashboard(source, named=True)
    await source.push()
    ticket = Ticket(session_id="5e55", replica_id="r1", app="app", origin=Origin(who="ada"), person="ada0")
    await store.real.join(ticket)
    await store.real.leave("5e55")
    await source.push()
    for listener, who, person in ((anonymous, None, None), (operator, "ada", "ada0")):
        await listener.receive()
        queued, ended = (each["data"] for each in listener.events)
        assert (queued["session"], queued.get("person")) == ("5e55", person)
        assert (ended["session"], ended.get("person"), ended.get("record", {}).get("who")) == ("5e55", person, who)
