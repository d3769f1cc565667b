"""A websocket proxy without features: the floor for a service that accepts a player and dials a server for it.

    python -m benchmarks.bare_proxy UPSTREAM_URL

It accepts, dials and relays; it has no queue, no checks and no metrics. It listens on a free port of 127.0.0.1 and
prints it as one line of JSON: `{"port": ...}`.
"""

import asyncio
import sys
from typing import Final

import orjson
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

HOST: Final = "127.0.0.1"


class _Upstream(WSListener):
    def __init__(self, player: "_Player") -> None:
        self._player = player

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._player.transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._player.transport.disconnect()


class _Player(WSListener):
    transport: WSTransport

    def __init__(self, upstream_url: str) -> None:
        self._url = upstream_url
        self._upstream: WSTransport | None = None
        self._early: list[bytes] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._dialling = asyncio.ensure_future(self._dial())

    async def _dial(self) -> None:
        self._upstream, _ = await ws_connect(lambda: _Upstream(self), self._url)
        for data in self._early:
            self._upstream.send(WSMsgType.TEXT, data)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            data = frame.get_payload_as_bytes()
            if self._upstream is None:
                self._early.append(data)
            else:
                self._upstream.send(WSMsgType.TEXT, data)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._upstream is not None:
            self._upstream.disconnect()


async def main(upstream_url: str) -> None:
    """Serve until killed."""
    server = await ws_create_server(lambda _: _Player(upstream_url), HOST, 0)
    print(orjson.dumps({"port": server.sockets[0].getsockname()[1]}).decode(), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
