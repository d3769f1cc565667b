"""What a matchmaker answers on /readyz about the Redis that it uses."""

from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from pydantic import SecretStr

from matchmaker import app
from matchmaker.settings import Settings
from pixelfleet.fleet.redis.server_info import ServerInfo
from tests.integration.matches import KEY
from tests.parts import eventually
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
    with redis_server(tmp_path, "--cluster-enabled", "yes", "--cluster-port", "0") as redis:
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
