"""A streamer on GStreamer's webrtcbin. Debian's interpreter runs it: its bindings are not on the package index.

    /usr/bin/python3 gstreamer_peer.py h264|vp8

Each line of the standard input and output is one JSON message. `playerConnected`, `playerDisconnected`, `offer`,
`answer` and `iceCandidate` are those of the signalling protocol. `channelOpen {playerId}` and `data {playerId, hex}`
belong to the data channel.

With `version` in place of a codec it prints GStreamer's version. If elements are missing it prints these and exits
with 1.
"""

import json
import sys
import threading
from typing import Any

import gi  # type: ignore[import-not-found]  # only Debian's interpreter has it

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
# The versions come first.
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=1000"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=102",
    "vp8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=1000000 ! rtpvp8pay"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
}
PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert"
ELEMENTS = ("videotestsrc", "x264enc", "vp8enc", "rtph264pay", "webrtcbin", "nicesrc", "dtlssrtpenc", "sctpenc")


def write(kind: str, **fields: Any) -> None:
    sys.stdout.write(f"{json.dumps({'type': kind, **fields})}\n")
    sys.stdout.flush()


class Player:
    """One player's pipeline: picture, encoder, connection and data channel."""

    def __init__(self, player_id: str, codec: str) -> None:
        self.player_id = player_id
        self.pipeline = Gst.parse_launch(
            f"{PICTURE} ! {ENCODERS[codec]} ! webrtcbin name=connection bundle-policy=max-bundle"
        )
        self.connection = self.pipeline.get_by_name("connection")
        self.connection.connect("on-negotiation-needed", self.offer)
        self.connection.connect("on-ice-candidate", self.found)
        self.pipeline.set_state(Gst.State.READY)  # before it there are no data channels
        self.channel = self.connection.emit("create-data-channel", "datachannel", None)
        self.channel.connect("on-open", lambda _: write("channelOpen", playerId=player_id))
        self.channel.connect("on-message-data", self.received)
        self.pipeline.set_state(Gst.State.PLAYING)

    def offer(self, connection: Any) -> None:
        connection.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # it owns the offer
        offer = reply.get_value("offer")
        self.connection.emit("set-local-description", offer, None)
        write("offer", playerId=self.player_id, sdp=offer.sdp.as_text())

    def found(self, _: Any, line_index: int, candidate: str) -> None:
        fields = {"candidate": candidate, "sdpMid": str(line_index), "sdpMLineIndex": line_index}
        write("iceCandidate", playerId=self.player_id, candidate=fields)

    def received(self, _: Any, data: Any) -> None:
        write("data", playerId=self.player_id, hex=data.get_data().hex())

    def answered(self, text: str) -> None:
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.connection.emit("set-remote-description", answer, None)

    def handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "answer":
                self.answered(message["sdp"])
            case "iceCandidate" if message["candidate"]["candidate"]:
                candidate = message["candidate"]
                self.connection.emit("add-ice-candidate", candidate.get("sdpMLineIndex") or 0, candidate["candidate"])
            case "data":
                self.channel.emit("send-data", GLib.Bytes.new(bytes.fromhex(message["hex"])))

    def end(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)


def serve(codec: str) -> None:
    """Serve the players of the standard input until it ends."""
    loop = GLib.MainLoop()
    players: dict[str, Player] = {}

    def handle(message: dict[str, Any]) -> bool:
        player_id = message["playerId"]
        if message["type"] == "playerConnected":
            players[player_id] = Player(player_id, codec)
        elif player := players.get(player_id):
            if message["type"] == "playerDisconnected":
                players.pop(player_id).end()
            else:
                player.handle(message)
        return False  # once

    def read() -> None:
        for line in sys.stdin:
            GLib.idle_add(handle, json.loads(line))
        GLib.idle_add(loop.quit)

    threading.Thread(target=read, daemon=True).start()
    loop.run()
    for player in players.values():
        player.end()


if __name__ == "__main__":
    Gst.init(None)
    if sys.argv[1] == "version":
        missing = [each for each in ELEMENTS if Gst.ElementFactory.find(each) is None]
        sys.stdout.write(f"{' '.join(missing) or Gst.version_string().removeprefix('GStreamer ')}\n")
        sys.exit(bool(missing))
    serve(sys.argv[1])
