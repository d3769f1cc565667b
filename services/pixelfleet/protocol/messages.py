"""Message types of the signalling protocol, validated when parsed.

A message is one JSON object with a string `type`. It is parsed to a dict, so that a forwarded message keeps unknown
fields; the known fields are checked against the structs below.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import orjson

from pixelfleet.protocol.people import InviteRequest, Mute, Person

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a parsed message. Its size is bounded by the receiver."""

    nesting: int = 32
    """Levels of objects and arrays. A regular message needs four; deep ones are expensive to process."""


DEFAULT_LIMITS: Final = Limits()

# An unclosed quote matches the rest: otherwise each one would search to the end, in quadratic time.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)

PATH_KINDS: Final = ("host", "reflexive", "relayed", "none")
"""The kinds of an ICE path: direct, through a NAT, through a TURN server, or none."""

MAX_STATS_LENGTH: Final = 256

PROTOCOL_VERSION: Final = "1.3.0"


class BadMessageError(ValueError):
    """The data is not a message of the protocol; the text gives the reason without quoting the data."""


class NestingError(BadMessageError):
    """A message nests deeper than the limit, which no regular client does."""


class Candidate(msgspec.Struct, rename="camel"):
    """An ICE candidate as browsers write it (RTCIceCandidateInit)."""

    candidate: str
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None
    username_fragment: str | None = None


class Blank(msgspec.Struct, rename="camel"):
    """A message without checked fields."""


class Sdp(msgspec.Struct, rename="camel"):
    """`offer` and `answer`."""

    sdp: str
    player_id: str | int | None = None


class IceCandidate(msgspec.Struct, rename="camel"):
    """`iceCandidate`."""

    candidate: Candidate
    player_id: str | int | None = None


class Subscribe(msgspec.Struct, rename="camel"):
    """`subscribe`."""

    streamer_id: str


class EndpointId(msgspec.Struct, rename="camel"):
    """`endpointId`."""

    id: str
    protocol_version: str | None = None


class DisconnectPlayer(msgspec.Struct, rename="camel"):
    """`disconnectPlayer`."""

    player_id: str | int
    reason: str | None = None


class LayerPreference(msgspec.Struct, rename="camel"):
    """`layerPreference`."""

    spatial_layer: int
    temporal_layer: int
    player_id: str | int | None = None


class Addressed(msgspec.Struct, rename="camel"):
    """A message for one player."""

    player_id: str | int | None = None


class PeerDataChannels(msgspec.Struct, rename="camel"):
    """`peerDataChannels` and `streamerDataChannels`."""

    send_stream_id: int
    recv_stream_id: int
    player_id: str | int | None = None


class Activity(msgspec.Struct, rename="camel"):
    """`activity`: a page's report of its last input, `idle` seconds ago, and whether its tab is hidden."""

    idle: Annotated[float, msgspec.Meta(ge=0)]
    hidden: bool = False


class Control(msgspec.Struct, rename="camel"):
    """`control`: a player's request for a call to the application's REST API."""

    action: str
    payload: dict[str, Any] | None = None


SHAPES: Final[dict[str, type[msgspec.Struct]]] = {
    "activity": Activity,
    "answer": Sdp,
    "control": Control,
    "dataChannelRequest": Blank,
    "disconnectPlayer": DisconnectPlayer,
    "endpointId": EndpointId,
    "handOver": Person,
    "iceCandidate": IceCandidate,
    "invite": InviteRequest,
    "kick": Person,
    "layerPreference": LayerPreference,
    "listStreamers": Blank,
    "mute": Mute,
    "offer": Sdp,
    "people": Blank,
    "peerDataChannels": PeerDataChannels,
    "peerDataChannelsReady": Blank,
    "ping": Blank,
    "pong": Blank,
    "startStreaming": Blank,
    "stats": Blank,
    "stopStreaming": Blank,
    "streamerDataChannels": PeerDataChannels,
    "subscribe": Subscribe,
    "unsubscribe": Blank,
}
"""The struct of each message type that a peer may send to a server."""


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Return the message; raise BadMessageError if it is no object with a string `type`, NestingError if too deep."""
    if data.count(b"[") + data.count(b"{") > limits.nesting and _depth(data) > limits.nesting:
        raise NestingError("nested too deep")
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadMessageError("not JSON") from None
    if type(message) is not dict or type(message.get("type")) is not str:
        raise BadMessageError("not an object with a string type")
    return message


def _depth(data: bytes) -> int:
    """Return the nesting depth of the brackets outside strings."""
    depth = deepest = 0
    for byte in _STRING.sub(b"", data):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def check(message: Message) -> None:
    """Raise BadMessageError when a field of a known type of message has a wrong type or is missing."""
    shape = SHAPES.get(message["type"])
    if shape is None:
        return
    try:
        msgspec.convert(message, shape)
    except msgspec.ValidationError as error:
        raise BadMessageError(f"{message['type']}: {error}") from None


def page_stats(message: Message) -> dict[str, Any]:
    """Return the statistics in a `stats` message of the Pixelfleet page; empty for another page's or over the limit.

    They are a JSON object in the string `data`, because older servers expect a string there.
    """
    data = message.get("data")
    if type(data) is not str or len(data) > MAX_STATS_LENGTH:
        return {}
    try:
        stats = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return stats if type(stats) is dict else {}


def path_kind(stats: Mapping[str, Any]) -> str | None:
    """Return the kind of the ICE path in a page's statistics, `{"path": kind}`; None when it is missing."""
    kind = stats.get("path")
    return kind if type(kind) is str and kind in PATH_KINDS else None


def dump(message: Message) -> bytes:
    """Return a message as JSON."""
    return orjson.dumps(message)


def pong_for(data: bytes) -> bytes | None:
    """Return the answer to a `ping`, or None for any other message."""
    if b"ping" not in data:
        return None
    try:
        message = parse(data)
    except BadMessageError:
        return None
    if message["type"] != "ping":
        return None
    return dump({"type": "pong", "time": message.get("time")})


def is_pong(data: bytes) -> bool:
    """Return whether data are a `pong`."""
    if b"pong" not in data:
        return False
    try:
        message = parse(data)
    except BadMessageError:
        return False
    return bool(message["type"] == "pong")


def player_id_of(message: Message) -> str | None:
    """Return the player id of a message as text; 4.27 streamers send a number."""
    player_id = message.get("playerId")
    return None if player_id is None else str(player_id)
