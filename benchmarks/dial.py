"""The cost of dialling a signalling server and of relaying messages: clients of aiohttp, websockets and picows.

    python -m benchmarks.dial [--dials 1000] [--messages 20000] [--rounds 5]

The server runs in a process of its own and is the same bare one for all. CPU time is that of this process. `ours` is
picows as the services use it (`pixelfleet/net/dial.py`): with limits, deadlines and close codes.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.connection import Connection
from typing import Final

import uvloop
from aiohttp import ClientSession
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from benchmarks.figures import record
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import dial
from pixelfleet.net.websocket import WebSocket

CANDIDATE: Final = b'{"type":"iceCandidate","candidate":{"candidate":"' + b"x" * 150 + b'","sdpMid":"0"}}'
IN_FLIGHT: Final = 16
BOUNDS: Final = Bounds(messages_per_second=float("inf"))

Client = Callable[[str, int], Awaitable[None]]
"""Dials a URL, bounces a number of messages off it, and closes."""


class _Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


def _serve(port: "Connection") -> None:
    async def main() -> None:
        server = await ws_create_server(lambda _: _Echo(), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


async def _bounce(
    send: Callable[[bytes], Awaitable[object]], receive: Callable[[], Awaitable[object]], count: int
) -> None:
    for _ in range(min(IN_FLIGHT, count)):
        await send(CANDIDATE)
    for left in range(count, 0, -1):
        await receive()
        if left > IN_FLIGHT:
            await send(CANDIDATE)


async def with_aiohttp(url: str, messages: int) -> None:
    """Use aiohttp's client."""
    async with ClientSession() as session, session.ws_connect(url, compress=0) as socket:
        await _bounce(socket.send_bytes, socket.receive, messages)


async def with_websockets(url: str, messages: int) -> None:
    """Use websockets' client."""
    async with connect(url, compression=None, proxy=None) as socket:
        await _bounce(socket.send, socket.recv, messages)


class _Bouncing(WSListener):
    def __init__(self, messages: int) -> None:
        self.left = self._to_send = messages
        self.done = asyncio.Event()
        if not messages:
            self.done.set()

    def on_ws_connected(self, transport: WSTransport) -> None:
        for _ in range(min(IN_FLIGHT, self._to_send)):
            self._send(transport)

    def _send(self, transport: WSTransport) -> None:
        self._to_send -= 1
        transport.send(WSMsgType.BINARY, CANDIDATE)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        frame.get_payload_as_bytes()
        self.left -= 1
        if self._to_send:
            self._send(transport)
        if not self.left:
            self.done.set()


async def with_picows(url: str, messages: int) -> None:
    """Use picows' own client."""
    transport, bouncing = await ws_connect(lambda: _Bouncing(messages), url)
    assert isinstance(bouncing, _Bouncing)
    await bouncing.done.wait()
    transport.send_close()
    transport.disconnect()
    await transport.wait_disconnected()


class _Handler:
    """Bounces messages through the services' websocket."""

    def __init__(self, socket: WebSocket, messages: int) -> None:
        self._socket = socket
        self.left = self._to_send = messages
        self.done = asyncio.Event()
        self.gone = asyncio.Event()
        if not messages:
            self.done.set()
        for _ in range(min(IN_FLIGHT, messages)):
            self._send()

    def _send(self) -> None:
        self._to_send -= 1
        self._socket.send(CANDIDATE)

    def message(self, data: bytes) -> None:
        self.left -= 1
        if self._to_send:
            self._send()
        if not self.left:
            self.done.set()

    def closed(self, code: int, reason: str) -> None:
        self.gone.set()


async def with_ours(url: str, messages: int) -> None:
    """Use the services' client."""
    made: list[_Handler] = []

    def opened(socket: WebSocket) -> _Handler:
        made.append(_Handler(socket, messages))
        return made[0]

    socket = await dial(url, opened, BOUNDS)
    await made[0].done.wait()
    socket.close_raw(1000, "")
    await made[0].gone.wait()


CLIENTS: Final[dict[str, Client]] = {
    "aiohttp": with_aiohttp,
    "websockets": with_websockets,
    "picows": with_picows,
    "ours": with_ours,
}


async def measure(args: argparse.Namespace, url: str) -> dict[str, list[tuple[float, float]]]:
    """Return the CPU microseconds of a dial and of a round trip, by client and round."""
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    for _ in range(args.rounds):
        for name, client in CLIENTS.items():
            begun = time.process_time()
            for _ in range(args.dials):
                await client(url, 0)
            dialled = time.process_time()
            await client(url, args.messages)
            relayed = time.process_time()
            figures[name].append(((dialled - begun) / args.dials * 1e6, (relayed - dialled) / args.messages * 1e6))
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="the cost of dialling with the clients of three libraries")
    parser.add_argument("--dials", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        figures = uvloop.run(measure(args, f"ws://127.0.0.1:{ours.recv()}/"))
    finally:
        server.kill()
    shown = Table("client", "CPU us, dial and close", "CPU us, round trip", box=SIMPLE_HEAD)
    for name, rounds in figures.items():
        for kind, costs in zip(("dial and close", "round trip"), zip(*rounds, strict=True), strict=True):
            record(f"CPU of a {kind}, {name}", statistics.median(costs), "us")
        shown.add_row(name, *(f"{statistics.median(each):.1f}" for each in zip(*rounds, strict=True)))
    Console().print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
