"""Two replicas on a real Redis act as one, also while Redis is unavailable."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pixelfleet.fleet.open import PREFIX, open_store
from pixelfleet.fleet.store import StoreUnavailableError
from tests.integration.matchmakers import KEY, RunningMatchmaker, running_matchmaker
from tests.integration.peers import SDP, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, redis_server

pytestmark = pytest.mark.integration


class Fleet:
    """Two replicas, a pod's signalserver, and the Redis that they share."""

    def __init__(self, redis: RedisServer, replicas: list[RunningMatchmaker], pod: RunningSignalserver) -> None:
        self.redis = redis
        self.first, self.second = replicas
        self.pod = pod


def is_ready(replica: RunningMatchmaker) -> bool:
    return replica.server.unready() is None


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    with redis_server(tmp_path) as redis:
        async with AsyncExitStack() as stack:
            replicas = []
            for _ in range(2):
                store = await stack.enter_async_context(open_store(redis.url))
                replicas.append(await stack.enter_async_context(running_matchmaker(store)))
            own = await stack.enter_async_context(open_store(redis.url))
            pod = await stack.enter_async_context(
                running_signalserver(own, session_key=SecretStr(KEY), require_session=True)
            )
            for each in replicas:
                await eventually(partial(is_ready, each), "a replica is ready")
            yield Fleet(redis, replicas, pod)


async def test_a_streamer_is_matched_once_and_the_queue_is_shared(fleet: Fleet) -> None:
    async with (
        streamer(fleet.pod.streamer_url, "cam") as source,
        player(fleet.first.player_url) as playing,
    ):
        await playing.receive("config")
        async with player(fleet.second.player_url) as waiting, player(fleet.first.player_url):
            await waiting.receive("matchmaker")
            await eventually(lambda: fleet.first.has_sessions(3), "both wait")
            for each in (fleet.first, fleet.second):
                _, queue = await each.ask("GET", "/api/v1/queue")
                assert sorted(view["position"] for view in queue["items"]) == [1, 2]
                _, sessions = await each.ask("GET", "/api/v1/sessions")
                assert sessions["total"] == 1
            await playing.socket.close()
            await eventually(lambda: fleet.first.has_sessions(2), "one has left, and another has its slot")

            async def one_waits() -> bool:
                _, queue = await fleet.second.ask("GET", "/api/v1/queue")
                return len(queue["items"]) == 1

            await eventually(one_waits, "one waits")
        await source.send("ping", time=1)
        await source.receive("pong")


async def test_a_replica_ends_sessions_of_the_other_and_drains_streamers_for_both(fleet: Fleet) -> None:
    async with streamer(fleet.pod.streamer_url, "cam"), player(fleet.first.player_url) as playing:
        await playing.receive("config")
        await playing.send("subscribe", streamerId="default")

        async def held() -> bool:
            _, sessions = await fleet.second.ask("GET", "/api/v1/sessions")
            return bool([each["state"] for each in sessions["items"]] == ["held"])

        await eventually(held, "the session is occupied")
        assert (await fleet.second.ask("POST", "/api/v1/streamers/cam/drain"))[1]["state"] == "draining"
        _, sessions = await fleet.second.ask("GET", "/api/v1/sessions")
        session = sessions["items"][0]["id"]
        assert (await fleet.second.ask("DELETE", f"/api/v1/sessions/{session}"))[0] == 202
        assert (await playing.closed())[0] == 4201
        await eventually(lambda: fleet.first.has_sessions(0), "the session has ended")
        async with player(fleet.first.player_url) as waiting:
            await waiting.receive("matchmaker")
            assert (await fleet.first.ask("GET", "/signallingserver"))[1]["signallingServer"] == ""
            assert (await fleet.second.ask("POST", "/api/v1/streamers/cam/undrain"))[0] == 200
            await waiting.receive("config")


async def test_a_redis_outage_does_not_affect_matched_players_and_waiting_ones_are_matched_after_it(
    fleet: Fleet,
) -> None:
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(streamer(fleet.pod.streamer_url, "cam"))
        playing = await stack.enter_async_context(player(fleet.first.player_url))
        await playing.receive("config")
        await playing.send("subscribe", streamerId="default")
        player_id = (await source.receive("playerConnected"))["playerId"]
        waiting = await stack.enter_async_context(player(fleet.second.player_url))
        await waiting.receive("matchmaker")
        await eventually(lambda: fleet.first.has_sessions(2), "one waits")
        fleet.redis.kill()
        while "unavailable" not in (await waiting.receive("matchmaker"))["detail"]:
            pass
        assert (await fleet.first.ask("GET", "/api/v1/sessions"))[0] == 503
        assert "unavailable" in (await fleet.first.ask("GET", "/signallingserver"))[1]["error"]
        assert fleet.first.server.unready() is None
        await source.send("offer", sdp=SDP, playerId=player_id)
        assert (await playing.receive("offer"))["sdp"] == SDP
        fleet.redis.start()
        while "Waiting" not in (await waiting.receive("matchmaker"))["detail"]:
            pass

        async def whole() -> bool:
            return [each.ready for each in (await fleet.first.streamers()).values()] == [True]

        await eventually(whole, "the fleet is complete again", tolerating=(StoreUnavailableError,))
        await playing.socket.close()
        await waiting.receive("config")


async def test_sessions_policies_and_operator_drains_survive_a_flush(fleet: Fleet) -> None:
    async with (
        streamer(fleet.pod.streamer_url, "cam"),
        streamer(fleet.pod.streamer_url, "other"),
        player(fleet.first.player_url) as playing,
    ):
        await playing.receive("config")
        await playing.send("subscribe", streamerId="default")

        async def held() -> list[Any]:
            _, sessions = await fleet.second.ask("GET", "/api/v1/sessions")
            return [each for each in sessions["items"] if each["state"] == "held"]

        async def drained() -> bool:
            _, shown = await fleet.second.ask("GET", f"/api/v1/streamers/{free}")
            return bool(shown.get("state") == "draining")

        await eventually(held, "the session is occupied")
        (before,) = await held()
        _, streamers = await fleet.second.ask("GET", "/api/v1/streamers")
        (free,) = [each["endpointId"] for each in streamers["items"] if each["id"] != before["streamer"]]
        await fleet.second.ask("POST", f"/api/v1/streamers/{free}/drain")
        await eventually(
            lambda: fleet.first.server.broker._operator_drained, "the other replica has the operator drain"
        )
        async with Redis.from_url(fleet.redis.url) as redis:
            policies = await redis.hgetall(f"{PREFIX}policies")
            await redis.flushall()
            await eventually(held, "the session is in the store again")

            async def restored() -> bool:
                return bool(await redis.hgetall(f"{PREFIX}policies") == policies == {b"default": b"spread"})

            await eventually(restored, "the policy is in the store again")
        (after,) = await held()
        assert after == before
        await eventually(drained, "the streamer is drained again")
        assert (await fleet.second.ask("DELETE", f"/api/v1/sessions/{before['id']}"))[0] == 202
        assert (await playing.closed())[0] == 4201
