"""Message types of the signalling protocol, validated when parsed.

A message is one JSON object with a string `type`. It is parsed to a dict, so that what we forward keeps the
fields that we do not know, and the fields that we do know are checked against the types below.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a message may ask of whoever reads it. Its size is bounded where it arrives."""

    nesting: int = 32
    """Levels of objects and lists. A real message needs four; a deep one costs whoever walks it."""


DEFAULT_LIMITS: Final = Limits()

# A quote that nothing closes takes all that follows: else each one would search to the end, in quadratic time.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)

PATH_KINDS: Final = ("host", "reflexive", "relayed", "none")
"""How a player's video comes: straight, through a NAT, through a TURN server, or not at all."""

MAX_STATS_LENGTH: Final = 256

PROTOCOL_VERSION: Final = "1.3.0"


class BadMessageError(ValueError):
    """What a peer sent is not a message of the protocol; the text says why, without quoting it."""


class NestingError(BadMessageError):
    """A message nests deeper than the limit: no mistake of a client's, but an attack on who reads it."""


class Candidate(msgspec.Struct, rename="camel"):
    """An ICE candidate as browsers write it (RTCIceCandidateInit)."""

    candidate: str
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None
    username_fragment: str | None = None


class Blank(msgspec.Struct, rename="camel"):
    """A message of which only the type matters."""


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


class Control(msgspec.Struct, rename="camel"):
    """`control`: a call to the application's REST API, asked for by a player."""

    action: str
    payload: dict[str, Any] | None = None


SHAPES: Final[dict[str, type[msgspec.Struct]]] = {
    "answer": Sdp,
    "control": Control,
    "dataChannelRequest": Blank,
    "disconnectPlayer": DisconnectPlayer,
    "endpointId": EndpointId,
    "iceCandidate": IceCandidate,
    "kick": Blank,
    "layerPreference": LayerPreference,
    "listStreamers": Blank,
    "offer": Sdp,
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
"""What each message that a peer may send to a server looks like."""


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Return the message; raise BadMessageError when it is no object with a string `type`, NestingError if too deep."""
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
    """Return how deep the brackets nest, those inside strings left out."""
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
    """Return what our page tells in a `stats`; nothing when it is another's, or too long.

    It is said in `data`, as a JSON object in a string, since older servers expect a string there.
    """
    data = message.get("data")
    if type(data) is not str or len(data) > MAX_STATS_LENGTH:
        return {}
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return told if type(told) is dict else {}


def path_kind(told: Mapping[str, Any]) -> str | None:
    """Return what `page_stats` say of the way that a player's video takes, `{"path": kind}`; None when nothing."""
    kind = told.get("path")
    return kind if type(kind) is str and kind in PATH_KINDS else None


def dump(message: Message) -> bytes:
    """Return a message as it goes on the wire."""
    return orjson.dumps(message)


def player_id_of(message: Message) -> str | None:
    """Return whom a message is for: 4.27 streamers write the id as a number, later ones as text."""
    player_id = message.get("playerId")
    return None if player_id is None else str(player_id)
