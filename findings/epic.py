"""Shared by the findings in Epic's page library: a signalling server, and a page with a streamer.

The page has the library as `PixelStreaming`, started by `play()`, and a streamer, started by `stream(withStream)`.

    python epic.py FOLDER BROWSER [ICE_SERVER_URL...] <SCRIPT

runs a script in this page and prints what it reports. FOLDER contains the library as library.js; the server configures
the player with the ICE servers.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from browser import page_of, print_reports, visit

# `peers` holds the peer connections that the library makes; the streamer uses the browser's own constructor.
PAGE = """
<div id="player" style="width: 640px; height: 360px"></div><canvas id="canvas" width="320" height="240"></canvas>
<script>
const BrowserPeer = RTCPeerConnection, peers = [];
window.RTCPeerConnection = class extends BrowserPeer {
  constructor(...options) { super(...options); peers.push(this); }
};
</script>
<script src="/files/library.js"></script>
<script>
const play = () => new PixelStreaming.PixelStreaming(
  new PixelStreaming.Config({ initialSettings: {
    ss: `ws://${location.host}/player`, AutoConnect: true, AutoPlayVideo: true, StartVideoMuted: true,
  } }),
  { videoElementParent: player });

function stream(withStream = true) {
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
    context.fillRect(0, 0, 320, 240);
  }, 40);
  const socket = new WebSocket(`ws://${location.host}/streamer`);
  let peer;
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "playerConnected") {
      peer = new BrowserPeer();
      const media = canvas.captureStream(25);
      peer.addTrack(media.getTracks()[0], ...(withStream ? [media] : []));
      peer.createDataChannel("cirrus");
      const offer = await peer.createOffer();
      socket.send(JSON.stringify({ type: "offer", sdp: offer.sdp }));
      peer.onicecandidate = ({ candidate }) => {
        if (candidate) socket.send(JSON.stringify({ type: "iceCandidate", candidate }));
      };
      await peer.setLocalDescription(offer);
    } else if (message.type === "answer") {
      await peer.setRemoteDescription({ type: "answer", sdp: message.sdp });
    } else if (message.type === "iceCandidate") {
      await peer.addIceCandidate(message.candidate);
    }
  };
}
</script>"""


class SignallingServer:
    """One streamer, one player at a time: answers what the library asks, and relays the negotiation."""

    def __init__(self, ice_servers: list[dict[str, Any]] | None = None) -> None:
        self.ice_servers = ice_servers or []
        self.streamer: web.WebSocketResponse | None = None
        self.player: web.WebSocketResponse | None = None
        self.routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "/streamer": self.serve_streamer,
            "/player": self.serve_player,
        }

    async def serve_streamer(self, request: web.Request) -> web.WebSocketResponse:
        """Relays what the streamer sends to the player."""
        self.streamer = socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and self.player is not None:
                await self.player.send_str(message.data)
        return socket

    async def serve_player(self, request: web.Request) -> web.WebSocketResponse:
        """Configures the player, introduces it to the streamer, and relays its part of the negotiation."""
        self.player = socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "config", "peerConnectionOptions": {"iceServers": self.ice_servers}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            match message.json()["type"]:
                case "listStreamers":
                    await socket.send_json({"type": "streamerList", "ids": ["streamer"]})
                case "subscribe" if self.streamer is not None:
                    await self.streamer.send_json({"type": "playerConnected", "playerId": "1"})
                case "answer" | "iceCandidate" if self.streamer is not None:
                    await self.streamer.send_str(message.data)
        return socket


if __name__ == "__main__":
    folder, browser, *urls = sys.argv[1:]
    server = SignallingServer([{"urls": [url]} for url in urls])
    page = PAGE + page_of(sys.stdin.read())
    print_reports(browser, asyncio.run(visit(browser, page, server.routes, Path(folder))))
