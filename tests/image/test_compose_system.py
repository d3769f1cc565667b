"""docker-compose's services as local processes: the same commands, variables and secrets, on free ports."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.image.compose import ADDRESS, Compose, arguments_of, make_secrets, read
from tests.integration.peers import SDP, player
from tests.parts import eventually, free_ports, program
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer

pytestmark = pytest.mark.integration

PORTS = {
    "turn-api": {"port": 3480, "metrics_port": 3980},
    "signalserver": {"player_port": 4000, "streamer_port": 8888, "sfu_port": 8889, "metrics_port": 4900},
    "matchmaker": {"port": 3000, "metrics_port": 3900},
    "router": {"port": 8080, "metrics_port": 8900},
}


class Machine:
    """Starts services and replaces the containers' names by local addresses."""

    def __init__(self, compose: Compose, folder: Path, redis: RedisServer, http: aiohttp.ClientSession) -> None:
        self._compose, self._folder, self._http = compose, folder, http
        self._places = {"redis:6379": f"127.0.0.1:{redis.port}"}

    async def start(self, stack: AsyncExitStack, name: str) -> dict[int, int]:
        """Start a service as the file defines it; return its ports by their numbers in the container."""
        service = self._compose.services[name]
        asked = PORTS.get(name, {})
        ports = dict(zip(asked.values(), free_ports(len(asked)), strict=True))
        for inside, here in ports.items():
            self._places.setdefault(f"{name}:{inside}", f"127.0.0.1:{here}")
        own = {f"{ADDRESS}:{inside}": f"127.0.0.1:{here}" for inside, here in ports.items()}
        prefix = f"PIXELFLEET_{name.upper().replace('-', '_')}_"
        chosen = {f"{prefix}{option.upper()}": str(ports[inside]) for option, inside in asked.items()}
        variables = {variable: self._here(value, self._places) for variable, value in service.environment.items()}
        arguments = [self._here(word, own) for word in arguments_of(service, self._folder)]
        environment = {"PATH": os.environ["PATH"], **variables, **chosen}
        log = stack.enter_context((self._folder / f"{name}.log").open("a"))
        await stack.enter_async_context(
            program(sys.executable, "-m", "pixelfleet_cli.cli", *arguments, env=environment, stdout=log, stderr=log)
        )
        if ports:
            await self.alive(next(iter(ports.values())))
        return ports

    async def alive(self, port: int, path: str = "/livez") -> None:
        async def answers() -> bool:
            async with self._http.get(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status == 200

        await eventually(answers, f"port {port} answers {path}", tolerating=(aiohttp.ClientError,))

    @staticmethod
    def _here(text: str, places: dict[str, str]) -> str:
        for name, place in places.items():
            text = text.replace(name, place)
        return text


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    redis = RedisServer(tmp_path)
    try:
        make_secrets(tmp_path)
        async with aiohttp.ClientSession() as http:
            yield Machine(read(), tmp_path, redis, http)
    finally:
        redis.stop()


async def test_the_operators_token_opens_dashboard_and_api_at_the_published_port(
    machine: Machine, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as http:
        replica = await machine.start(stack, "matchmaker")
        await machine.alive(replica[3000], "/readyz")
        entry = await machine.start(stack, "router")
        await machine.alive(entry[8080], "/readyz")
        token = (tmp_path / "operator.token").read_text()
        login = {"Authorization": aiohttp.encode_basic_auth("operator", token)}
        bearer = {"Authorization": f"Bearer {token}"}
        for path, headers, status in (
            ("dashboard/", {}, 401),
            ("dashboard/", login, 200),
            ("dashboard/api/v1/sessions", login, 200),
            ("api/v1/streamers", {}, 401),
            ("api/v1/streamers", bearer, 200),
        ):
            async with http.get(f"http://127.0.0.1:{entry[8080]}/{path}", headers=headers) as answer:
                assert (path, headers, answer.status) == (path, headers, status)


async def test_a_player_at_the_published_port_gets_the_streamers_offer(machine: Machine) -> None:
    async with AsyncExitStack() as stack:
        await machine.start(stack, "turn-api")
        signals = await machine.start(stack, "signalserver")
        await machine.start(stack, "streamer")
        await machine.alive(signals[4000], "/readyz")
        for _ in range(2):
            replica = await machine.start(stack, "matchmaker")
            await machine.alive(replica[3000], "/readyz")
        entry = await machine.start(stack, "router")
        async with player(f"ws://127.0.0.1:{entry[8080]}/ws") as viewer:
            config = await viewer.receive("config")
            servers = json.dumps(config["peerConnectionOptions"]["iceServers"])
            assert "turn:127.0.0.1:3478?transport=udp" in servers
            await viewer.send("listStreamers")
            [name] = (await viewer.receive("streamerList"))["ids"]
            await viewer.send("subscribe", streamerId=name)
            offer = await viewer.receive("offer")
            assert "m=video" in offer["sdp"]
            assert SDP not in offer["sdp"]
