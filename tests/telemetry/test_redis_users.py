"""The Redis users in docs/how-to/operations.md have the permissions that their roles need, and no others."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from matchmaker.app import Matchmaker
from pixelfleet.fleet.open import PREFIX, open_store
from tests.integration.peers import player, streamer
from tests.parts import eventually
from tests.telemetry.fleet import LOOPBACK, Fleet
from tests.telemetry.shipped import ROOT
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask

pytestmark = pytest.mark.integration


def users_of_the_guide() -> list[str]:
    lines = (ROOT / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("user ")]


def commands_of_the_guide() -> tuple[list[str], list[str]]:
    """Return the commands to Redis that add a new password, and those that remove the old one."""
    text = (ROOT / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8")
    steps = text.partition("### Change a Redis password")[2].partition("\n## ")[0].split("```")
    return steps[1].strip().splitlines(), steps[3].strip().splitlines()


def connections(replica: Matchmaker) -> int:
    """Return how many connections to the store a replica has made."""
    return replica.broker._connection


async def send_commands(url: str, commands: list[str]) -> None:
    for command in commands:
        await ask(url, *command.split())


async def test_the_guides_change_of_a_password_refuses_no_service(tmp_path: Path) -> None:
    users = tmp_path / "users.acl"
    users.write_text("\n".join(["user admin on nopass ~* &* +@all", *users_of_the_guide(), ""]))
    add_new, remove_old = commands_of_the_guide()
    async with AsyncExitStack() as stack:
        redis = RedisServer(tmp_path, "--aclfile", str(users))
        stack.callback(redis.stop)
        admin = f"redis://admin:@{LOOPBACK}:{redis.port}"
        fleet = Fleet.on(redis, tmp_path, stack)
        (old,) = await fleet.matchmakers(1, redis_url=fleet.url("matchmaker:MATCHMAKER_PASSWORD"))
        await eventually(lambda: old.unready() is None, "the replica with the old password is ready")
        await send_commands(admin, add_new)
        (new,) = await fleet.matchmakers(1, redis_url=fleet.url("matchmaker:NEW_PASSWORD"))
        await ask(admin, "CLIENT", "KILL", "USER", "matchmaker")
        connected = connections(old), connections(new)
        await eventually(
            lambda: connections(old) > connected[0] and connections(new) > connected[1],
            "both connect again",
        )
        await eventually(lambda: (old.unready(), new.unready()) == (None, None), "both are ready")

        await send_commands(admin, remove_old)
        await eventually(lambda: "refuses" in (old.unready() or ""), "the old password is refused")
        await eventually(lambda: new.unready() is None, "the new password is accepted")
        async with player(f"ws://{LOOPBACK}:{new.port}/") as waiting:
            while "unserved" not in await waiting.receive("matchmaker"):  # from the store: no streamer is registered
                pass
        assert "NEW_PASSWORD" not in users.read_text(), "Redis stores hashes"
        connected = connections(old), connections(new)
        redis.kill()
        redis.start()
        await eventually(lambda: connections(new) > connected[1], "the new password is in the file")
        await eventually(lambda: "refuses" in (old.unready() or ""), "the old password is not in the file")


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
