"""A websocket proxy without features, the floor that our router is measured against, and the echo behind both.

    python -m benchmarks.bare_proxy echo
    python -m benchmarks.bare_proxy proxy ws://127.0.0.1:PORT/

The proxy accepts, dials and passes text frames on; it bounds, checks and counts nothing. Both listen on a free port
of 127.0.0.1 and say which in one line of JSON: `{"port": ...}`.
"""

import argparse
import asyncio

import orjson
import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_connect, ws_create_server

from pixelfleet.runtime.front import Front
from pixelfleet.runtime.websocket import Bounds

HOST = "127.0.0.1"


class Echo(WSListener):
    """Answers each text with itself."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()


class Side(WSListener):
    """One side of a proxied connection; what comes before the other side is there is kept for it."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self.other: Side | None = None
        self.early: list[bytes] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            data = frame.get_payload_as_bytes()
            if self.other is not None and self.other.transport is not None:
                self.other.transport.send(WSMsgType.TEXT, data)
            else:
                self.early.append(data)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        if self.other is not None and self.other.transport is not None:
            self.other.transport.disconnect()


class Down(Side):
    """The side of who came."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self.upstream = upstream
        self.dialling: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.dialling = asyncio.ensure_future(self.dial())

    async def dial(self) -> None:
        up = Side()
        up.other = self
        await ws_connect(lambda: up, self.upstream)
        assert up.transport is not None
        for data in self.early:
            up.transport.send(WSMsgType.TEXT, data)
        self.other = up


async def serve_proxy(upstream: str) -> None:
    """Pass on until killed."""

    def made(_: WSUpgradeRequest) -> WSListener:
        return Down(upstream)

    server = await ws_create_server(made, HOST, 0)
    announce(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


async def serve_echo() -> None:
    """Echo until killed; it says that it is ready, as the router asks of a matchmaker."""

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    def made(_: WSUpgradeRequest) -> WSListener:
        return Echo()

    app = web.Application()
    app.router.add_get("/readyz", ready)
    async with Front(app, made, host=HOST, port=0, option="--port", bounds=Bounds()) as front:
        announce(front.port)
        await asyncio.Event().wait()


def announce(port: int) -> None:
    """Say where it listens."""
    print(orjson.dumps({"port": port}).decode(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="a websocket proxy without features")
    parser.add_argument("kind", choices=["echo", "proxy"])
    parser.add_argument("upstream", nargs="?", default="")
    options = parser.parse_args()
    uvloop.run(serve_echo() if options.kind == "echo" else serve_proxy(options.upstream))
