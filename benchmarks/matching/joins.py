"""Players that join at a steady rate, at each matchmaker in turn, and their outcomes."""

import asyncio
import gc
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

GOODBYE_SECONDS: Final = 2.0
HELLO_SECONDS: Final = 5.0


@dataclass(slots=True)
class Outcome:
    """The players' outcomes."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    """Seconds from the dial to `config` of matched players, in ascending order."""
    unmatched: int = 0
    refused: int = 0
    matches: list[float] = field(default_factory=list)
    """When players got `config`, on the loop's clock, in ascending order."""

    def resumed_after(self, moment: float) -> float:
        """Return the seconds from a moment to the end of the longest time without a match after it; NaN without any.

        This may be later than the first match, because players that are being dialled at that moment still arrive.
        """
        times = [moment, *(matched for matched in self.matches if matched > moment)]
        pauses = [(later - earlier, later) for earlier, later in pairwise(times)]
        return max(pauses)[1] - moment if pauses else math.nan

    def wait_ms(self, share: float) -> float:
        """Return a percentile of the waits in milliseconds."""
        if not self.waits:
            return float("nan")
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))] * 1000


class _Player(WSListener):
    def __init__(self) -> None:
        self.config: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.transport: WSTransport | None = None
        self.greeted = asyncio.Event()
        self._gone = asyncio.Event()

    async def leave(self) -> None:
        """Send a close frame and wait a little for the answer."""
        if self.transport is not None:
            self.transport.send_close(WSCloseCode.OK)
            self.transport.disconnect()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._gone.wait()
        except TimeoutError:
            if self.transport is not None:
                self.transport.disconnect(graceful=False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.greeted.set()
            if b'"config"' in frame.get_payload_as_bytes() and not self.config.done():
                self.config.set_result(True)
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        self._gone.set()
        if not self.config.done():
            self.config.set_result(False)


async def joins(
    urls: Sequence[str],
    *,
    players: int,
    rate: float,
    hold: float,
    limit: float,
    come_back: bool = False,
    headers: Callable[[int], dict[str, str]] | None = None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Let players join at `rate` per second; each waits at most `limit` seconds, stays for `hold`, and leaves.

    With `come_back` a player that is disconnected before its match dials again, as pages do. `headers` returns those of
    a player's request. An `outcome` of the caller has the figures while the players join; its waits are in the order
    of the matches.
    """
    sort, outcome = outcome is None, outcome or Outcome()
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def one(number: int) -> None:
        await asyncio.sleep(number / rate)
        due = loop.time() + limit
        started = loop.time()
        attempt = number
        while True:
            player = await _connected(urls[attempt % len(urls)], limit, headers(number) if headers else None)
            matched = player is not None and (not come_back or await _hello(player))
            matched = matched and player is not None and await _config(player, due - loop.time())
            if matched or not come_back or loop.time() >= due:
                break
            if player is not None:
                await player.leave()
            attempt += 1
            await asyncio.sleep(0.5)
        if player is None:
            outcome.refused += 1
        elif not matched:
            outcome.unmatched += 1
        else:
            outcome.waits.append(loop.time() - started)
            outcome.matches.append(loop.time())
            await asyncio.sleep(hold)
        if player is not None:
            await player.leave()

    with _no_collection():
        await asyncio.gather(*(one(number) for number in range(players)))
    outcome.seconds = loop.time() - begun
    if sort:
        outcome.waits.sort()
    return outcome


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable the garbage collector, which would otherwise stop the load for a tenth of a second during the run."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _connected(url: str, seconds: float, headers: dict[str, str] | None) -> _Player | None:
    player = _Player()
    try:
        await ws_connect(lambda: player, url, websocket_handshake_timeout=seconds, extra_headers=headers)
    except (OSError, WSError, TimeoutError):
        return None
    return player


async def _hello(player: _Player) -> bool:
    """Wait for the matchmaker's first message, which it sends at once. A connection to a process that was killed
    while accepting may remain open here without any message.
    """
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            await player.greeted.wait()
    except TimeoutError:
        return False
    return True


async def _config(player: _Player, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await player.config
    except TimeoutError:
        return False
