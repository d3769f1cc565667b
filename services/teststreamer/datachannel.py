"""The protocol of a player's data channel, without I/O.

A `Conversation` takes the bytes of a message and returns the messages to send. Invalid messages are counted and
ignored, so that they cannot end a session.
"""

from collections import Counter
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
"""Messages with ids from this one on are a person's input; lower ones control the stream."""

MAX_FILLER: Final = 16 * 1024
"""The number of characters that a latency test may request; more would not fit into a message."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The streamer's id, and the measurements of its latest frame."""

    streamer_id: str
    frame: int = 0
    encode_seconds: float = 0.0
    capture_seconds: float = 0.0
    """The time from the frame's capture to its last encoded byte."""
    average_qp: float = 0.0


class Host(Protocol):
    """The interface of the streamer for conversations."""

    def facts(self) -> Facts:
        """Return the facts of the latest frame."""

    def initial_settings(self) -> dict[str, object]:
        """Return the content of the `InitialSettings` message."""

    def request_keyframe(self, player_id: str) -> None:
        """Make the player's next frame a keyframe."""

    def set_playing(self, player_id: str, playing: bool) -> None:
        """Start or stop the player's frames."""

    def take_quality_control(self, player_id: str) -> None:
        """Give the player control of the quality, and notify all players."""


class LatencyRequest(msgspec.Struct, rename="pascal"):
    """The request of a data channel latency test."""

    seq: int
    fill_response_size: int = 0


class Conversation:
    """One player's data channel."""

    def __init__(self, player_id: str, stage: Stage, host: Host) -> None:
        self.player_id = player_id
        self._stage = stage
        self._host = host
        self._controllers = 0

    @property
    def counts(self) -> Counter[str]:
        """The streamer's counters, see `Stage`."""
        return self._stage.counts

    def greeting(self) -> list[bytes]:
        """Return the messages to send when the channel opens."""
        return [
            protocol(Direction.TO_STREAMER),
            protocol(Direction.FROM_STREAMER),
            self._initial_settings(),
            self.average_qp(),
            self.ownership(),
            encode("InputControlOwnership", 1),
        ]

    def ownership(self) -> bytes:
        """Return the message about whether this player controls the quality."""
        return encode("QualityControlOwnership", int(self._stage.quality_controller == self.player_id))

    def average_qp(self) -> bytes:
        """Return the message with the encoder's recent quantiser: 0 is lossless, 51 the coarsest."""
        return encode("VideoEncoderAvgQP", f"{self._host.facts().average_qp:.0f}")

    def receive(self, data: bytes | str) -> list[bytes]:
        """Handle one message of the player; return the responses, usually none."""
        try:
            if isinstance(data, str):
                raise BadDataError("a text message")
            message = decode(data)
            if TO_STREAMER[message.name].id >= FIRST_INPUT_ID:
                self._stage.record(Input.of(message, self.player_id, self._stage.now()))
            return self._answer(message)
        except (BadDataError, msgspec.DecodeError, RecursionError):
            self._stage.counts["malformed"] += 1
            return []

    def _answer(self, message: DataMessage) -> list[bytes]:
        """Execute a message; return the responses."""
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
        JSON. A descriptor that is too large for a message is omitted: `"received": null, "truncated": true`.
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
        """Return the response to a latency test: its times of receipt and sending, and the frame's times, in ms."""
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
    """Return a message whose text is JSON; raise BadDataError when it is too large or cannot be serialized."""
    try:
        return encode(name, orjson.dumps(value).decode())
    except orjson.JSONEncodeError:
        raise BadDataError(f"{name} cannot be written as JSON") from None
