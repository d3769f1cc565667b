"""Players of a real fleet: each joins at its time, waits for a streamer or gives up, plays, and leaves."""

import asyncio
from array import array
from contextlib import suppress
from dataclasses import dataclass

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from pixelfleet.capacity.arrivals import Players
from pixelfleet.capacity.outcome import Fate
from tests.simulation.fleet import Clock


@dataclass
class Fates:
    """What became of the players."""

    fates: bytearray
    waits: "array[float]"
    failures: int = 0
    """Players whose connection was refused or lost."""


async def play(players: Players, urls: list[str], clock: Clock, seconds: float) -> Fates:
    """Let all players join and leave until the end of the run; return their fates."""
    found = Fates(bytearray(len(players)), array("d", bytes(8 * len(players))))
    loop = asyncio.get_running_loop()

    async def one(number: int) -> None:
        arrival = players.arrivals[number]
        await asyncio.sleep(max(0.0, arrival - clock.tick()))
        began = loop.time()
        try:
            async with connect(urls[number % len(urls)], compression=None, proxy=None) as socket:
                if await _is_matched(socket, players.patience[number]):
                    found.fates[number] = Fate.SERVED
                    found.waits[number] = loop.time() - began
                    await _stay(socket, players.lengths[number])
                else:
                    found.fates[number] = Fate.GAVE_UP
                    found.waits[number] = loop.time() - began
        except (OSError, ConnectionClosed):
            found.failures += 1

    tasks = [asyncio.create_task(one(number)) for number in range(len(players))]
    await asyncio.sleep(max(0.0, seconds - clock.tick()))
    for number, fate in enumerate(found.fates):
        if fate == Fate.WAITS:
            found.waits[number] = seconds - players.arrivals[number]
    result = Fates(bytearray(found.fates), array("d", found.waits), found.failures)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return result


async def _is_matched(socket: ClientConnection, patience: float) -> bool:
    """Return whether `config`, the first message of a signalling server, arrives in time."""
    try:
        async with asyncio.timeout(patience if patience < float("inf") else None):
            while orjson.loads(await socket.recv())["type"] != "config":
                pass
    except TimeoutError:
        return False
    return True


async def _stay(socket: ClientConnection, seconds: float) -> None:
    """Negotiate as a page does, and play."""
    await socket.send(orjson.dumps({"type": "subscribe", "streamerId": "cam"}).decode())
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                message = orjson.loads(await socket.recv())
                if message["type"] == "offer":
                    await socket.send(orjson.dumps({"type": "answer", "sdp": "v=0"}).decode())
