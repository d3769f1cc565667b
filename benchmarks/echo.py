"""An echo server, in place of a matchmaker or streamer behind a measured proxy.

    python -m benchmarks.echo

It listens on a free port of 127.0.0.1, prints it as one line of JSON (`{"port": ...}`), and answers /readyz.
"""

import asyncio
from typing import Final

import orjson
import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import Server

HOST: Final = "127.0.0.1"


class Echo(WSListener):
    """Answers each text with itself."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()


async def main() -> None:
    """Serve until killed."""

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    async def admit(_: RequestHead) -> Accepted:
        return Accepted(Echo())

    app = web.Application()
    app.router.add_get("/readyz", ready)
    async with Server(app, admit, host=HOST, port=0, option="--port", bounds=Bounds()) as server:
        print(orjson.dumps({"port": server.port}).decode(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
