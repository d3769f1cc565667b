"""A matchmaker with a Redis that evicts, is a cluster, refuses it, or has lost single keys."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from pydantic import SecretStr

from matchmaker import app, restatement
from matchmaker.settings import Settings
from pixelfleet.fleet.open import PREFIX, open_store
from pixelfleet.fleet.redis.server_info import ServerInfo
from tests.integration.matchmakers import KEY
from tests.integration.peers import player, streamer
from tests.integration.signalservers import running_signalserver
from tests.parts import eventually, free_port
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server

pytestmark = pytest.mark.integration

LOOPBACK: Final = "127.0.0.1"
READY: Final = {"status": "ok"}
REFUSED: Final = {"status": "the fleet store refuses this replica; its log has the reason"}


def matchmaker_settings(url: str) -> Settings:
    return Settings(
        redis_url=SecretStr(url),
        session_key=SecretStr(KEY),
        host=LOOPBACK,
        port=0,
        metrics_port=0,
        legacy_link=False,
    )


class Readiness:
    """Asks a replica for its readiness."""

    def __init__(self, http: aiohttp.ClientSession, replica: app.Matchmaker) -> None:
        self._http = http
        self._port = replica.port

    async def __call__(self) -> tuple[int, dict[str, Any]]:
        async with self._http.get(f"http://{LOOPBACK}:{self._port}/readyz") as answer:
            return answer.status, await answer.json()

    async def becomes(self, status: int, body: dict[str, Any]) -> None:
        """Wait for an answer."""

        async def is_there() -> bool:
            return await self() == (status, body)

        await eventually(is_there, f"/readyz answers {status} and {body}")


async def test_a_redis_that_evicts_is_a_warning_of_a_replica_that_is_ready(tmp_path: Path) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with redis_server(tmp_path, *options) as redis:
        async with app.running(matchmaker_settings(redis.url)) as replica, aiohttp.ClientSession() as http:
            warning = ServerInfo("", cluster=False, maxmemory=1, policy="allkeys-lru").warning
            await Readiness(http, replica).becomes(200, {"status": "ok", "warnings": [warning]})


async def test_a_replica_with_a_redis_cluster_is_not_ready(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as redis:
        async with app.running(matchmaker_settings(redis.url)) as replica, aiohttp.ClientSession() as http:
            await Readiness(http, replica).becomes(503, REFUSED)


async def test_a_replica_is_not_ready_while_redis_refuses_its_password(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        await change_user(redis, "on", ">old", "~*", "&*", "+@all")
        url = f"redis://role:old@{LOOPBACK}:{redis.port}"
        async with app.running(matchmaker_settings(url)) as replica, aiohttp.ClientSession() as http:
            readiness = Readiness(http, replica)
            await readiness.becomes(200, READY)
            await change_user(redis, "resetpass", ">new")
            await ask(redis.url, "CLIENT", "KILL", "USER", "role")
            await readiness.becomes(503, REFUSED)
            await change_user(redis, ">old")
            await readiness.becomes(200, READY)
            await change_user(redis, "-fcall", "-evalsha")
            await readiness.becomes(503, REFUSED)


async def change_user(redis: RedisServer, *rules: str) -> None:
    await ask(redis.url, "ACL", "SETUSER", "role", *rules)


async def test_a_player_whose_queue_entry_is_lost_gets_a_streamer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(restatement, "RESTATE_SECONDS", 0.1)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path))
        store = await stack.enter_async_context(open_store(redis.url))
        pod = await stack.enter_async_context(
            running_signalserver(store, session_key=SecretStr(KEY), require_session=True)
        )
        replica = await stack.enter_async_context(app.running(matchmaker_settings(redis.url)))
        waiting = await stack.enter_async_context(player(f"ws://{LOOPBACK}:{replica.port}/"))

        async def lanes() -> list[bytes]:
            return list(await ask(redis.url, "KEYS", f"{PREFIX}lane:*"))

        for lane in await eventually(lanes, "the player waits"):
            await ask(redis.url, "DEL", lane.decode())
        await stack.enter_async_context(streamer(pod.streamer_url, "cam"))
        await waiting.receive("config")
