"""The Redis users in docs/how-to/operations.md have the permissions that their roles need, and no others."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from pixelfleet.fleet.open import PREFIX, open_store
from tests.integration.peers import player, streamer
from tests.telemetry.fleet import LOOPBACK, Fleet
from tests.telemetry.shipped import ROOT
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask

pytestmark = pytest.mark.integration


def users_of_the_guide() -> list[str]:
    lines = (ROOT / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("user ")]


async def test_the_guides_redis_users_suffice_to_match_players_and_no_more(tmp_path: Path) -> None:
    users = tmp_path / "users.acl"
    users.write_text("\n".join(["user admin on nopass ~* &* +@all", *users_of_the_guide(), ""]))
    async with AsyncExitStack() as stack:
        redis = RedisServer(tmp_path, "--aclfile", str(users))
        stack.callback(redis.stop)
        fleet = Fleet.on(redis, tmp_path, stack)
        server = await fleet.signalserver(redis_url=fleet.url("signalserver:SIGNALSERVER_PASSWORD"))
        replicas = await fleet.matchmakers(2, redis_url=fleet.url("matchmaker:MATCHMAKER_PASSWORD"))
        source = await stack.enter_async_context(streamer(f"ws://{LOOPBACK}:{server.streamer_port}", "cam"))
        first = await stack.enter_async_context(player(f"ws://{LOOPBACK}:{replicas[0].port}/"))
        await first.receive("config")
        await first.send("subscribe", streamerId="default")
        await source.receive("playerConnected")
        second = await stack.enter_async_context(player(f"ws://{LOOPBACK}:{replicas[1].port}/"))
        while "position" not in await second.receive("matchmaker"):
            pass
        await first.socket.close()
        await second.receive("config")
        async with open_store(fleet.url("router:ROUTER_PASSWORD").get_secret_value()) as store:
            assert (await store.totals()).apps
        admin = f"redis://admin:@{LOOPBACK}:{redis.port}"
        assert await ask(admin, "ACL", "LOG") == []
        for role in ("signalserver:SIGNALSERVER_PASSWORD", "matchmaker:MATCHMAKER_PASSWORD", "router:ROUTER_PASSWORD"):
            assert await ask(fleet.url(role).get_secret_value(), "SET", f"{PREFIX}once:{role}", "1", "NX")
            for forbidden in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "elsewhere"), ("KEYS", "*")):
                with pytest.raises(NoPermissionError):
                    await ask(fleet.url(role).get_secret_value(), *forbidden)
