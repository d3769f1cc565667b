"""The trace of a session over router, matchmaker, signalling server and a collector, with Redis."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import orjson
import pytest
from websockets.asyncio.client import connect

from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore
from pixelfleet.service import logs, otel
from tests.integration.conftest import Chain, running_chain
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.integration.resuming_page import ResumingPage, resuming_page
from tests.otlp import Collector, collecting, trace_to
from tests.parts import eventually, free_port
from tests.unit.pixelfleet.fleet.redis_servers import redis_server

pytestmark = pytest.mark.integration

MILESTONES: Final = {
    "opened": 100.0,
    "matched": 150.0,
    "configured": 200.0,
    "negotiated": 300.0,
    "connected": 450.0,
    "frame": 500.0,
}
"""What a page reports about its first frame, in milliseconds."""

STEPS: Final = {f"first_frame.{step}": "first_frame" for step in ("page", "match", "dial", "offer", "path", "picture")}

TREE: Final = {
    "session": "",
    "match": "session",
    "queue": "match",
    "handover": "match",
    "dial": "handover",
    "signalling": "dial",
    "offer": "signalling",
    "answer": "signalling",
    "ice": "signalling",
    "first_frame": "signalling",
    **STEPS,
}
"""The parents of the spans of a session."""

FROM: Final = {
    "session": "pixelfleet-router",
    "match": "pixelfleet-matchmaker",
    "queue": "pixelfleet-matchmaker",
    "handover": "pixelfleet-matchmaker",
    "dial": "pixelfleet-router",
}
"""The services of the spans; all others come from the signalling server."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FleetStore]:
    with redis_server(tmp_path) as server:
        async with open_store(server.url) as opened:
            yield opened


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collecting() as running:
        trace_to(running.url, monkeypatch)
        yield running


async def play(viewer: Peer | ResumingPage, source: Peer, name: str = "default") -> None:
    """Negotiate, and report an ICE path and the first frame as the page does."""
    await (viewer.negotiate(source, name) if isinstance(viewer, ResumingPage) else negotiate(viewer, source, name))
    await report(viewer, firstFrame=MILESTONES)


async def report(viewer: Peer | ResumingPage, **stats: object) -> None:
    await viewer.send("stats", data=orjson.dumps(stats).decode())


async def one_session(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
        await play(viewer, source)
        await viewer.send("ping", time=1)
        await viewer.receive("pong")
    await eventually(lambda: not chain.signals.players, "the player has left")


async def test_the_spans_of_a_session_are_one_trace_over_all_services(
    page_folder: Path, store: FleetStore, collector: Collector
) -> None:
    async with running_chain(page_folder, store) as chain:
        await one_session(chain)
    await collector.named(*TREE)
    assert collector.tree() == TREE
    assert len({span.trace for span in collector.spans}) == 1
    assert {span.name: span.service for span in collector.spans} == {
        name: FROM.get(name, "pixelfleet-signalserver") for name in TREE
    }
    attributes = collector.only("session").attributes
    session = attributes["session.id"]
    assert attributes == {"session.id": session, "pixelfleet.close.code": 1000, "pixelfleet.ending": "left"}
    assert collector.only("match").attributes["session.id"] == session
    assert collector.only("signalling").attributes["session.id"] == session
    frame = collector.only("first_frame")
    assert round((frame.end - frame.begin) / 1e6) == MILESTONES["frame"]
    path = collector.only("first_frame.path")
    assert round((path.end - path.begin) / 1e6) == MILESTONES["connected"] - MILESTONES["negotiated"]
    assert not any(span.failed for span in collector.spans)


async def test_a_page_that_returns_to_its_session_stays_in_its_trace(
    page_folder: Path, store: FleetStore, collector: Collector
) -> None:
    async with running_chain(page_folder, store) as chain, streamer(chain.streamer_url, "cam") as source:
        async with resuming_page(lambda: chain.player_url) as page:
            await play(page, source)
            await report(page, path="direct")
            page.cut()
            await eventually(lambda: page.resumed, "the page is back")
            await page.leave()
        await eventually(lambda: not chain.signals.players, "the player has left")
    await collector.named(*TREE, "return", "away")
    assert collector.tree() == {**TREE, "return": "dial", "away": "signalling"}
    assert len({span.trace for span in collector.spans}) == 1
    assert collector.only("away").attributes["pixelfleet.resumed"] is True
    assert collector.only("return").attributes["session.id"] == collector.only("session").attributes["session.id"]


async def test_a_page_that_returns_to_its_place_in_the_queue_stays_in_its_trace(
    page_folder: Path, store: FleetStore, collector: Collector
) -> None:
    async with running_chain(page_folder, store) as chain, resuming_page(lambda: chain.player_url) as page:
        await page.waits()
        page.cut()
        await eventually(lambda: page.dials > 1, "the page is back")
        async with streamer(chain.streamer_url, "cam") as source:
            await play(page, source)
            await page.leave()
            await eventually(lambda: not chain.signals.players, "the player has left")
    await collector.named("signalling")
    assert len({span.trace for span in collector.spans}) == 1
    assert [span.name for span in collector.spans].count("session") == 2


async def test_an_unreachable_collector_neither_fails_a_session_nor_holds_the_end_up(
    page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue of spans holds four, so that it overflows, too."""
    monkeypatch.setattr(otel, "FLUSH_SECONDS", 0.1)
    trace_to(f"http://127.0.0.1:{free_port()}", monkeypatch)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    async with running_chain(page_folder) as chain:
        for _ in range(3):
            await one_session(chain)


async def test_a_collector_that_never_answers_does_not_hold_sessions_up(
    page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "FLUSH_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and reads nothing
        trace_to(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        async with running_chain(page_folder) as chain:
            for _ in range(3):
                await one_session(chain)


async def test_a_ratio_of_zero_traces_only_sessions_whose_caller_is_sampled(
    page_folder: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is a reverse proxy that has begun the trace; the header of anyone else is ignored."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    trace, parent = "a" * 32, "b" * 16
    sampled = {"traceparent": f"00-{trace}-{parent}-01"}
    async with running_chain(page_folder) as chain, streamer(chain.streamer_url, "cam") as source:
        async with connect(chain.player_url, proxy=None, additional_headers=sampled) as page:
            await negotiate(Peer(page), source, "default")
        await eventually(lambda: not chain.signals.players, "the player has left")
    async with (
        running_chain(page_folder, entry={"trusted_proxies": 1}) as chain,
        streamer(chain.streamer_url, "cam") as source,
    ):
        headers = {**sampled, "X-Forwarded-For": "192.0.2.1"}
        async with connect(chain.player_url, proxy=None, additional_headers=headers) as page:
            await negotiate(Peer(page), source, "default")
        await eventually(lambda: not chain.signals.players, "the player has left")
    await collector.named("session")
    assert {span.trace for span in collector.spans} == {trace}
    assert collector.only("session").parent == parent


async def test_log_lines_of_a_session_have_its_trace_until_it_ends(page_folder: Path, collector: Collector) -> None:
    async with running_chain(page_folder) as chain:
        async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
            await play(viewer, source)
            await eventually(lambda: len(chain.matches.players) == 0, "the router has taken the player over")
            traces = dict(logs.TRACES)
        await eventually(lambda: not chain.signals.players, "the player has left")
    await collector.named("session")
    session = collector.only("session")
    assert traces == {session.attributes["session.id"]: session.trace}
    assert not logs.TRACES
