"""Runs a signalling server for one test, and probes it from outside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import signalserver.app
from signalserver.app import SignalServer
from signalserver.settings import Settings
from tests.fuzz.frames import TEXT, frame
from tests.fuzz.wire import Wire
from tests.fuzz.wire import connect as raw_connect
from tests.integration.peers import player, streamer
from tests.parts import PATIENCE_SECONDS

State = Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[SignalServer]:
    ports: dict[str, Any] = {"player_port": 0, "streamer_port": 0, "sfu_port": 0, "metrics_port": 0}
    async with signalserver.app.running(Settings(host="127.0.0.1", rest_api=True, **ports, **changes)) as server:
        yield server


def players(server: SignalServer, query: str = "") -> str:
    return f"ws://127.0.0.1:{server.player_port}/{query}"


def streamers(server: SignalServer, query: str = "") -> str:
    return f"ws://127.0.0.1:{server.streamer_port}/{query}"


@asynccontextmanager
async def pair(player_url: str, streamer_url: str, name: str = "good") -> AsyncIterator[State]:
    """Connect a streamer and its player; yield a function that sends a numbered message each way and awaits both."""
    number = 0
    async with streamer(streamer_url, name) as source, player(player_url) as viewer:
        await viewer.send("subscribe", streamerId=name)
        player_id = (await source.receive("playerConnected"))["playerId"]

        async def exchange() -> None:
            nonlocal number
            number += 1
            await viewer.send("answer", sdp=f"{number}")
            while (received := await source.receive("answer"))["playerId"] != player_id:
                pass
            assert received["sdp"] == f"{number}"
            await source.send("offer", sdp=f"{number}", playerId=player_id)
            received = await viewer.receive_any()
            while received["type"] in ("config", "pong"):
                received = await viewer.receive_any()
            assert (received["type"], received["sdp"]) == ("offer", f"{number}")

        await exchange()
        yield exchange
        await exchange()


@asynccontextmanager
async def raw(port: int, received: list[bytes] | None = None, *, answers: bool = True) -> AsyncIterator[Wire]:
    """Open a websocket that can send arbitrary bytes."""
    wire = await raw_connect(port, (received if received is not None else []).append, answers=answers)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await wire.upgrade()
        yield wire
    finally:
        wire.hang_up()


async def closed(wire: Wire) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await asyncio.shield(wire.ended)


async def metric(server: SignalServer, line: str) -> float:
    """Return the value of a time series; 0 when there is none."""
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{server.metrics_port}/metrics") as answer:
        for each in (await answer.text()).splitlines():
            if each.startswith(f"{line} "):
                return float(each.rpartition(" ")[2])
    return 0.0


async def closes(server: SignalServer, role: str, reason: str) -> float:
    return await metric(server, f'signalserver_closes_total{{reason="{reason}",role="{role}"}}')


async def get(server: SignalServer, path: str, **options: Any) -> tuple[int, Any]:
    """Return status and JSON of a path on the player port."""
    method = options.pop("method", "GET")
    url = f"http://127.0.0.1:{server.player_port}{path}"
    async with ClientSession() as http, http.request(method, url, **options) as answer:
        return answer.status, await answer.json(content_type=None)


async def refused(url: str, **options: Any) -> int:
    """Return the HTTP status with which a websocket is refused."""
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, compression=None, proxy=None, **options):
            pass
    return refusal.value.response.status_code


def text(**message: Any) -> bytes:
    return frame(TEXT, orjson.dumps(message))
