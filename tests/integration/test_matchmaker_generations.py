"""Pages of every version behind a matchmaker, with legacy servers of every generation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.integration.matchmakers import RunningMatchmaker, known, running_legacy_server, running_matchmaker
from tests.parts import PATIENCE_SECONDS, eventually
from tests.standins.cirrus import GENERATIONS, UE_4_27, UE_5_0, UE_5_2, UE_5_4, Generation
from tests.standins.pages import NEWER, STOPS, VERSIONS, open_page

pytestmark = pytest.mark.integration


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await event.wait()


@asynccontextmanager
async def matchmaker_for(generation: Generation) -> AsyncIterator[RunningMatchmaker]:
    """Run a matchmaker whose settings name the dialect of 4.27 servers."""
    rules = ["127.0.0.0/8=legacy"] if generation is UE_4_27 else ["5.0"]
    async with running_matchmaker(legacy_dialect=rules) as running:
        yield running


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.name)
async def test_a_page_plays_on_a_legacy_server(generation: Generation, version: str) -> None:
    async with (
        matchmaker_for(generation) as running,
        running_legacy_server(running, generation) as legacy,
        open_page(running.player_url, version, offers=generation is UE_4_27) as page,
    ):
        await happens(page.negotiated)
        await eventually(lambda: any(each["type"] == "iceCandidate" for each in legacy.received), "the server has all")
        assert [player.negotiated for player in legacy.connected.values()] == [True]
        if version in NEWER:
            await page.send("ping", time=7)
            await eventually(lambda: page.count("pong") == 1, "its ping is answered")
        if generation.pings:
            await legacy.ping_players()
            await eventually(lambda: any(each["type"] == "pong" for each in legacy.received), "the pong arrives")
        # 5.0 and 5.1 ignore other types, and look like 5.2 until the player has requested a list.
        assert legacy.unknown == (["listStreamers"] if generation is UE_5_0 else [])
        assert not page.ended.is_set()
        assert legacy.dialled == 1


async def test_a_server_gets_only_what_the_dialect_has_that_is_named_for_its_address() -> None:
    async with running_legacy_server(generation=UE_5_0) as legacy:
        rules = ["legacy", "127.0.0.0/8=5.2", f"127.0.0.1:{legacy.port}=5.1"]
        async with running_matchmaker(legacy_dialect=rules) as running:
            assert running.server.link_port is not None
            await legacy.connect(running.server.link_port)
            await known(running, legacy)
            async with open_page(running.player_url, "5.7") as page:
                await happens(page.negotiated)
                await eventually(lambda: len(legacy.received) == 2, "the answer and a candidate arrive")
                assert legacy.unknown == []
                assert [report.dialect for report in (await running.streamers()).values()] == ["5.1"]


@pytest.mark.parametrize("data", ["{}", '{"type":"layerPreference"}', '{"type":"invented"}', "no JSON", '{"type":5}'])
async def test_nothing_that_a_page_sends_makes_a_legacy_server_close_it(data: str) -> None:
    async with (
        running_matchmaker() as running,
        running_legacy_server(running, UE_5_2) as legacy,
        open_page(running.player_url, "5.2") as page,
    ):
        await happens(page.negotiated)
        await page.socket.send(data)
        await page.send("stats", data="{}")
        await eventually(lambda: legacy.received[-1]["type"] == "stats", "the messages after it arrive")
        assert not page.ended.is_set()


@pytest.mark.parametrize(
    ("generation", "fault"),
    [(generation, "full") for generation in GENERATIONS]
    # Later ones accept the player, and their list is empty.
    + [(generation, "no streamer") for generation in (UE_4_27, UE_5_0)],
    ids=lambda value: getattr(value, "name", value),
)
async def test_a_player_that_a_legacy_server_refuses_with_1013_gets_another(generation: Generation, fault: str) -> None:
    async with (
        matchmaker_for(generation) as running,
        running_legacy_server(
            running, generation, streamers=("cam",) if fault == "full" else (), full=fault == "full"
        ) as refusing,
        open_page(running.player_url, "5.7", offers=generation is UE_4_27) as page,
    ):
        await eventually(lambda: refusing.dialled >= 1, "it is dialled")
        async with running_legacy_server(running, generation):
            await happens(page.negotiated)
        assert page.count("config") == 1


@pytest.mark.parametrize(("code", "reason"), [(1001, "Broken"), (1008, "Unsupported message type")])
async def test_a_rejection_by_a_legacy_server_does_not_reach_the_page(code: int, reason: str) -> None:
    async with (
        running_matchmaker() as running,
        running_legacy_server(running) as legacy,
        open_page(running.player_url, "5.6") as page,
    ):
        await happens(page.negotiated)
        await eventually(lambda: [each.negotiated for each in legacy.connected.values()] == [True], "it plays")
        (stock,) = legacy.connected.values()
        await stock.socket.close(code, reason)
        await happens(page.ended)
        assert page.close_code == 4001
        assert page.close_code != STOPS


async def test_a_legacy_server_that_closes_players_in_negotiation_is_quarantined() -> None:
    async with running_matchmaker(legacy_dialect=["5.1"]) as running, running_legacy_server(running, UE_5_4) as legacy:
        # Named wrongly, it gets no `subscribe`, so nothing is negotiated before it closes the player.
        codes = []
        for _ in range(3):
            async with open_page(running.player_url, "5.7") as page:
                await eventually(lambda: page.count("config") == 1, "it is matched")
                (stock,) = legacy.connected.values()
                await stock.socket.close(1008, "Unsupported message type")
                await happens(page.ended)
                codes.append(page.close_code)
        assert codes == [4001] * 3
        (view,) = (await running.store.snapshot()).streamers
        assert view.failures == 3
        assert view.quarantined_until > view.seen
        await eventually(lambda: running.has_sessions(0), "no lease is lost")


async def test_the_dialect_that_a_server_shows_is_reported() -> None:
    async with running_matchmaker() as running:

        async def reported(*dialects: str) -> bool:
            return sorted(report.dialect for report in (await running.streamers()).values()) == sorted(dialects)

        async with running_legacy_server(running, UE_5_0), open_page(running.player_url, "5.7") as page:
            await happens(page.negotiated)
            assert await reported("5.0")
            async with running_legacy_server(running, UE_5_4) as newer, open_page(running.player_url, "5.7") as second:
                await happens(second.negotiated)
                await eventually(lambda: reported("5.0", "5.2"), "a list shows 5.2")
                await newer.ping_players()
                await eventually(lambda: reported("5.0", "5.4"), "a ping shows 5.4")
                newer.cut()
                await known(running, newer, ready=False)
                assert running.server.link_port is not None
                await newer.connect(running.server.link_port)
                await eventually(lambda: reported("5.0", "5.0"), "it may be another version now")
