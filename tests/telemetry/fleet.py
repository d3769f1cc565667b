"""The real services on a real Redis under a small load, so that everything that a rule or a panel reads has a value."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
import turnapi.app
import turnapi.settings
from pixelfleet.net.ports import plain_port
from tests.integration.peers import SDP, Peer, player, streamer
from tests.parts import SIGNALSERVER_ON_FREE_PORTS, eventually, free_port
from tests.telemetry.prometheus import Targets
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer
from tests.unit.pixelfleet.net.certificates import make_certificate

LOOPBACK: Final = "127.0.0.1"


@dataclass
class Fleet:
    """Running services, and the ports that Prometheus scrapes, by job."""

    redis: RedisServer
    folder: Path
    stack: AsyncExitStack
    key: SecretStr
    ports: dict[str, list[int]]

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncIterator["Fleet"]:
        async with AsyncExitStack() as stack:
            redis = RedisServer(folder)
            stack.callback(redis.stop)
            yield cls.on(redis, folder, stack)

    @classmethod
    def on(cls, redis: RedisServer, folder: Path, stack: AsyncExitStack) -> "Fleet":
        return cls(redis, folder, stack, SecretStr(secrets.token_hex(32)), {})

    def url(self, user: str = "") -> SecretStr:
        """Return Redis' URL, with the `name:password` of a user if there are users."""
        return SecretStr(f"redis://{user}{'@' if user else ''}{LOOPBACK}:{self.redis.port}")

    async def matchmakers(self, count: int, **settings: Any) -> list[matchmaker.app.Matchmaker]:
        options: dict[str, Any] = {
            "redis_url": self.url(),
            "session_key": self.key,
            "host": LOOPBACK,
            "legacy_link": False,
            "confirm_seconds": 0,  # players of a test may be silent for any time
        }
        chosen = matchmaker.settings.Settings(**{**options, "port": 0, "metrics_port": 0, **settings})
        made = [await self.stack.enter_async_context(matchmaker.app.running(chosen)) for _ in range(count)]
        for each in made:
            self._ask("matchmaker", each.metrics_port)
            await eventually(partial(_knows_the_fleet, each), "the matchmaker has the fleet's data")
        return made

    async def signalserver(self, **settings: Any) -> signalserver.app.SignalServer:
        options: dict[str, Any] = {**SIGNALSERVER_ON_FREE_PORTS, "session_key": self.key, "redis_url": self.url()}
        server = await self.stack.enter_async_context(
            signalserver.app.running(signalserver.settings.Settings(**{**options, **settings}))
        )
        self._ask("signalserver", server.metrics_port)
        return server

    async def router(self, matchmakers: list[matchmaker.app.Matchmaker]) -> router.app.Router:
        page = self.folder / "page"
        (page / "assets").mkdir(parents=True)
        (page / "index.html").write_text("<!doctype html><title>page</title>")
        urls = [f"ws://{LOOPBACK}:{each.port}" for each in matchmakers]
        settings = router.settings.Settings(host=LOOPBACK, port=0, metrics_port=0, matchmaker=urls, page=page)
        made = await self.stack.enter_async_context(router.app.running(settings))
        self._ask("router", made.metrics_port)
        return made

    async def turn_api(self) -> turnapi.app.TurnApi:
        settings = turnapi.settings.Settings(
            host=LOOPBACK, port=0, metrics_port=0, server=[LOOPBACK], secret=SecretStr(secrets.token_hex(16))
        )
        made = await self.stack.enter_async_context(turnapi.app.running(settings))
        self._ask("turn-api", made.metrics_port)
        return made

    async def recorded(self, job: str) -> int:
        """Serve a recorded page of metrics, for programs that do not run here."""
        page = (Path(__file__).parent / f"{job}.prom").read_text(encoding="utf-8")

        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=page)

        app = web.Application()
        app.router.add_get("/metrics", answer)
        return await self.stack.enter_async_context(plain_port(app, host=LOOPBACK, port=0, option="port"))

    def static(self, job: str) -> Targets:
        """Return a job's targets as the names of docker-compose resolve to them."""
        return [{"targets": [f"{LOOPBACK}:{port}" for port in self.ports.get(job, ())]}]

    def pods(self) -> Targets:
        """Return every target as Kubernetes describes its pod."""
        return [pod(job, number, port) for job, ports in self.ports.items() for number, port in enumerate(ports)]

    def _ask(self, job: str, port: int) -> None:
        self.ports.setdefault(job, []).append(port)


def _knows_the_fleet(replica: matchmaker.app.Matchmaker) -> bool:
    return replica.unready() is None and replica.gauges.totals is not None


def pod(job: str, number: int, port: int) -> dict[str, Any]:
    """Return a target with the labels of pod discovery."""
    workload = "stream" if job == "signalserver" else job
    metadata = {
        "pod_annotation_prometheus_io_scrape": "true",
        "pod_annotation_prometheus_io_port": str(port),
        "pod_label_app_kubernetes_io_part_of": "pixelfleet",
        "pod_label_app_kubernetes_io_component": job,
        "pod_ip": LOOPBACK,
        "pod_phase": "Running",
        "pod_name": f"{workload}-{number}",
        "pod_node_name": "node-1",
        "namespace": "pixel",
    }
    # Kubernetes lists every port of the pod; the annotation determines which one is scraped.
    return {
        "targets": [f"{LOOPBACK}:1"],
        "labels": {f"__meta_kubernetes_{name}": value for name, value in metadata.items()},
    }


async def stream(source: Peer, viewer: Peer) -> None:
    """Let a player and a streamer negotiate, and report the ICE path."""
    await viewer.receive("config")
    await viewer.send("subscribe", streamerId="default")
    player_id = (await source.receive("playerConnected"))["playerId"]
    await source.send("offer", sdp=SDP, playerId=player_id)
    await viewer.receive("offer")
    await viewer.send("answer", sdp=SDP)
    await source.receive("answer")
    await viewer.send("stats", data='{"path": "relayed"}')
    await viewer.send("stats", data='{"firstFrame": {"opened": 200, "matched": 210, "configured": 220, "frame": 900}}')
    await viewer.send("dance")
    await viewer.send("ping")
    await viewer.receive("pong")


@asynccontextmanager
async def under_load(fleet: Fleet) -> AsyncIterator[None]:
    """Run every service, with a player that streams, one that waits, and some failures."""
    fleet.ports["turn"] = [await fleet.recorded("turn")]
    api = await fleet.turn_api()
    server = await fleet.signalserver(rtc_config_url=f"http://{LOOPBACK}:{api.port}/")
    made = make_certificate(fleet.folder)
    await fleet.signalserver(tls_cert=made.certificate, tls_key=made.key, redis_url=None)
    broken = await fleet.signalserver(app="broken", public_url=f"ws://{LOOPBACK}:{free_port()}")
    webhooks = {"webhooks": {"closed": f"http://{LOOPBACK}:{free_port()}/"}, "webhook_secret": f"whsec_{'k' * 32}"}
    entry = await fleet.router(await fleet.matchmakers(2, **webhooks))
    url = f"ws://{LOOPBACK}:{entry.port}/ws"
    with pytest.raises(InvalidStatus):
        async with player(f"ws://{LOOPBACK}:{server.player_port}/?session=forged"):
            pass
    async with (
        streamer(f"ws://{LOOPBACK}:{server.streamer_port}", "cam") as source,
        streamer(f"ws://{LOOPBACK}:{broken.streamer_port}", "cam"),
    ):
        async with player(url) as viewer:
            await stream(source, viewer)
        await source.receive("playerDisconnected")
        async with player(url) as viewer:
            await stream(source, viewer)
            async with player(url) as waiting, player(f"{url}?app=broken"):
                await waiting.receive("matchmaker")
                yield
