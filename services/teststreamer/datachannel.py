"""What the streamer says on a player's data channel, and how it answers each message.

No sockets: a `Conversation` takes bytes and returns the bytes to send back. Bytes that are no message are counted and
ignored, so that nothing a player sends ends its session or anyone else's.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import orjson

from teststreamer.datachannel_codec import (
    TO_STREAMER,
    BadDataError,
    DataMessage,
    Direction,
    decode,
    encode,
    protocol,
)
from teststreamer.inputs import Input
from teststreamer.stage import Stage

FIRST_INPUT_ID: Final = 50
"""Messages with ids from here on are a person's input, those below control the stream."""

MAX_FILLER: Final = 16 * 1024
"""How many characters a latency test may ask for in its answer; more would not fit a message."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the streamer knows of its latest frame."""

    streamer_id: str
    frame: int = 0
    encode_seconds: float = 0.0
    capture_seconds: float = 0.0
    """From the time on the frame's clock until it was ready to be sent."""
    average_qp: float = 0.0


class Host(Protocol):
    """What a conversation needs of its streamer."""

    def facts(self) -> Facts:
        """Tell of the latest frame."""

    def initial_settings(self) -> dict[str, object]:
        """Return what the `InitialSettings` message says."""

    def request_keyframe(self, player_id: str) -> None:
        """Make the player's next frame one that needs no earlier one."""

    def set_playing(self, player_id: str, playing: bool) -> None:
        """Send the player frames, or none."""

    def take_quality_control(self, player_id: str) -> None:
        """Give the player control of the quality, and tell who had it that it lost it."""


class LatencyRequest(msgspec.Struct, rename="pascal"):
    """What a data channel latency test asks."""

    seq: int
    fill_response_size: int = 0


class Conversation:
    """One player's data channel."""

    def __init__(self, player_id: str, stage: Stage, host: Host) -> None:
        self.player_id = player_id
        self._stage = stage
        self._host = host
        self._controllers = 0

    def greeting(self) -> list[bytes]:
        """Return what is sent as soon as the channel is open."""
        return [
            protocol(Direction.TO_STREAMER),
            protocol(Direction.FROM_STREAMER),
            self._initial_settings(),
            self.average_qp(),
            self.ownership(),
            encode("InputControlOwnership", 1),
        ]

    def ownership(self) -> bytes:
        """Return the message that tells whether this player controls the quality."""
        return encode("QualityControlOwnership", int(self._stage.quality_controller == self.player_id))

    def average_qp(self) -> bytes:
        """Return the message with the encoder's quantiser of late: 0 is lossless, 51 the coarsest."""
        return encode("VideoEncoderAvgQP", f"{self._host.facts().average_qp:.0f}")

    def receive(self, data: bytes | str) -> list[bytes]:
        """Take one message of the player and return the answers, most often none."""
        try:
            if isinstance(data, str):
                raise BadDataError("a text message")
            message = decode(data)
            if TO_STREAMER[message.name].id >= FIRST_INPUT_ID:
                self._stage.record(Input.of(message, self.player_id, self._stage.now()))
            return self._answer(message)
        except (BadDataError, msgspec.DecodeError):
            self._stage.counts["malformed"] += 1
            return []

    def _answer(self, message: DataMessage) -> list[bytes]:
        """Do what a message asks for."""
        match message.name:
            case "UIInteraction":
                return [self._response(str(message.values["text"]))]
            case "LatencyTest":
                return [self._latency()]
            case "DataChannelLatencyTest":
                return [self._channel_latency(str(message.values["text"]))]
            case "TestEcho":
                return [encode("TestEcho")]
            case "RequestInitialSettings":
                return [self._initial_settings()]
            case "RequestQualityControl":
                self._host.take_quality_control(self.player_id)
            case "IFrameRequest":
                self._host.request_keyframe(self.player_id)
            case "StartStreaming" | "StopStreaming":
                self._host.set_playing(self.player_id, message.name == "StartStreaming")
            case "GamepadConnected":
                self._controllers = (self._controllers + 1) % 256
                return [_json("GamepadResponse", {"controllerId": self._controllers})]
        return []

    def _initial_settings(self) -> bytes:
        return _json("InitialSettings", self._host.initial_settings())

    def _response(self, text: str) -> bytes:
        """Echo a UIInteraction.

        The `Response` is the JSON object `{"type": "echo", "streamer": id, "player": id, "frame": number,
        "received": descriptor}`, where the descriptor is the JSON that the page sent, or the text itself when it is not
        JSON. What is too large to be sent back is left out: `"received": null, "truncated": true`.
        """
        try:
            received: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            received = text
        facts = self._host.facts()
        echo = {
            "type": "echo",
            "streamer": facts.streamer_id,
            "player": self.player_id,
            "frame": facts.frame,
            "received": received,
        }
        try:
            return _json("Response", echo)
        except BadDataError:
            return _json("Response", echo | {"received": None, "truncated": True})

    def _latency(self) -> bytes:
        """Answer the latency test with when it came in and went out, and what the latest frame took (ms)."""
        received = self._stage.now() * 1000
        facts = self._host.facts()
        return _json(
            "LatencyTest",
            {
                "ReceiptTimeMs": received,
                "EncodeMs": facts.encode_seconds * 1000,
                "CaptureToSendMs": facts.capture_seconds * 1000,
                "TransmissionTimeMs": self._stage.now() * 1000,
            },
        )

    def _channel_latency(self, text: str) -> bytes:
        received = self._stage.now() * 1000
        request = msgspec.json.decode(text, type=LatencyRequest)
        return _json(
            "DataChannelLatencyTest",
            {
                "Seq": request.seq,
                "Filler": "A" * max(0, min(request.fill_response_size, MAX_FILLER)),
                "ReceivedTimestamp": received,
                "SentTimestamp": self._stage.now() * 1000,
            },
        )


def _json(name: str, value: object) -> bytes:
    """Return a message whose text is JSON; raise BadDataError when that is too large."""
    try:
        return encode(name, orjson.dumps(value).decode())
    except orjson.JSONEncodeError:
        raise BadDataError(f"{name} cannot be written as JSON") from None
