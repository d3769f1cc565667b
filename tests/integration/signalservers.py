"""Runs a signalling server on free ports, with a client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

import signalserver.app
from pixelfleet.fleet.store import FleetStore
from signalserver.settings import Settings
from tests.parts import SIGNALSERVER_ON_FREE_PORTS

TOKEN = "t0ken-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class RunningSignalserver:
    """A running server and an HTTP client."""

    server: signalserver.app.SignalServer
    http: aiohttp.ClientSession

    @property
    def player_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.player_port}"

    @property
    def streamer_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.streamer_port}"

    @property
    def sfu_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.sfu_port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.server.player_port}"

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Return the status and the JSON of a request with the operator's token, unless other headers are given."""
        options.setdefault("headers", BEARER)
        async with self.http.request(method, URL(self.rest_url + path, encoded=True), **options) as answer:
            return answer.status, await answer.json()

    async def ready(self) -> str | None:
        """Return None when the server is ready, else the reason why it is not."""
        status, body = await self.ask("GET", "/readyz", headers={})
        return None if status == 200 else body["status"]

    async def metric(self, series: str) -> float:
        """Return the value of one time series, in Prometheus's notation; 0 when it does not exist yet."""
        async with self.http.get(f"http://127.0.0.1:{self.server.metrics_port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == series), 0.0)


@asynccontextmanager
async def running_signalserver(store: FleetStore | None = None, **chosen: Any) -> AsyncIterator[RunningSignalserver]:
    """Run a server with these settings."""
    settings = Settings(**SIGNALSERVER_ON_FREE_PORTS, **chosen)
    async with signalserver.app.running(settings, store) as server, aiohttp.ClientSession() as http:
        yield RunningSignalserver(server, http)
