"""Offers of a browser that acts as the streamer, answered by a browser, with the signalling server between them."""

from typing import Any

from playwright.async_api import Browser, Page

from tests.e2e.conftest import new_page
from tests.integration.signalservers import running_signalserver
from tests.parts import PATIENCE_SECONDS

STREAMER = """([url, codec]) => new Promise((named) => {
  const canvas = document.createElement("canvas"), painted = canvas.getContext("2d");
  setInterval(() => { painted.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`; painted.fillRect(0, 0, 300, 150); }, 40);
  const peers = {}, socket = new WebSocket(url), send = (message) => socket.send(JSON.stringify(message));
  window.gone = [];
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data), playerId = message.playerId;
    if (message.type === "identify") send({ type: "endpointId", id: "cam" });
    if (message.type === "endpointIdConfirm") named();
    if (message.type === "playerDisconnected") window.gone.push(playerId);
    if (message.type === "playerConnected") {
      const peer = peers[playerId] = new RTCPeerConnection();
      peer.addTrack(canvas.captureStream(25).getVideoTracks()[0]);  // to no stream
      peer.onicecandidate = ({ candidate }) => candidate && send({ type: "iceCandidate", playerId, candidate });
      const offer = await peer.createOffer(), codecs = / (VP8|VP9|AV1|H264|H265)\\/90000/g;
      send({ type: "offer", playerId, sdp: codec ? offer.sdp.replaceAll(codecs, ` ${codec}/90000`) : offer.sdp });
      await peer.setLocalDescription(offer);  // candidates follow the offer
    }
    if (message.type === "answer") await peers[playerId].setRemoteDescription(message);
    if (message.type === "iceCandidate") await peers[playerId].addIceCandidate(message.candidate);
  };
})"""

PLAYER = """(url) => new Promise((finished) => {
  const received = [], peer = new RTCPeerConnection(), video = document.createElement("video");
  const socket = new WebSocket(url), send = (message) => socket.send(JSON.stringify(message));
  video.muted = true;
  peer.ontrack = ({ streams }) => { if (streams.length) { video.srcObject = streams[0]; video.play(); } };
  video.onresize = () => video.videoWidth && finished({ stream: video.srcObject.id, width: video.videoWidth });
  peer.onicecandidate = ({ candidate }) => candidate && send({ type: "iceCandidate", candidate });
  socket.onopen = () => send({ type: "subscribe", streamerId: "cam" });
  socket.onclose = ({ code, reason }) => finished({ code, reason, received });
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    received.push(message.type);
    if (message.type === "offer") {
      await peer.setRemoteDescription(message);
      const answer = await peer.createAnswer();
      send({ type: "answer", sdp: answer.sdp });
      await peer.setLocalDescription(answer);
    }
    if (message.type === "iceCandidate") await peer.addIceCandidate(message.candidate);
  };
})"""


async def watched(browser: Browser, streamer: Page, codec: str = "") -> dict[str, Any]:
    """Return what a player saw of a streamer that offers its own codecs, or only this one."""
    async with running_signalserver() as running, new_page(browser) as player:
        await streamer.evaluate(STREAMER, [running.streamer_url, codec])
        seen: dict[str, Any] = await player.evaluate(PLAYER, running.player_url)
        if codec:
            await streamer.wait_for_function("window.gone.length === 1", timeout=1000 * PATIENCE_SECONDS)
            name = 'signalserver_video_failures_total{codec="other",reason="no_codec"}'
            assert await running.metric(name) == 1
    return seen


async def test_a_track_without_a_stream_is_shown(browser: Browser, page: Page) -> None:
    seen = await watched(browser, page)
    assert seen["stream"] == "pixelfleet"
    assert seen["width"] > 0


async def test_a_codec_that_the_browser_lacks_ends_the_session_with_its_name(browser: Browser, page: Page) -> None:
    seen = await watched(browser, page, codec="H266")
    assert (seen["code"], seen["reason"]) == (4207, "no common video codec: H266")
    assert seen["received"][-1] == "subscribeFailed"
