"""What a signalling server says to a streamer, checked, and what it means for aiortc."""

from typing import Final, Literal, TypeVar

import msgspec
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceCandidate, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtcicetransport import parse_stun_turn_uri
from aiortc.sdp import candidate_from_sdp

from pixelfleet.protocol.messages import BadMessageError, Candidate, Message
from teststreamer.sdp import is_hidden

MAX_ICE_SERVERS: Final = 16
MAX_CANDIDATE_CHARACTERS: Final = 1024

T = TypeVar("T")


class IceServer(msgspec.Struct):
    """A STUN or TURN server as browsers write it (RTCIceServer)."""

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


class PeerConnectionOptions(msgspec.Struct, rename="camel"):
    """The part of an RTCConfiguration that concerns a streamer."""

    ice_servers: list[IceServer] = msgspec.field(default_factory=list)
    ice_transport_policy: Literal["all", "relay"] = "all"


class Config(msgspec.Struct, rename="camel"):
    """`config`."""

    peer_connection_options: PeerConnectionOptions = msgspec.field(default_factory=PeerConnectionOptions)


class EndpointIdConfirm(msgspec.Struct, rename="camel"):
    """`endpointIdConfirm`."""

    committed_id: str


class PlayerConnected(msgspec.Struct, rename="camel"):
    """`playerConnected`."""

    player_id: str | int
    data_channel: bool = True
    sfu: bool = False
    send_offer: bool = True


class Ping(msgspec.Struct):
    """`ping`."""

    time: int | float | None = None


def read(message: Message, shape: type[T]) -> T:
    """Return a message's fields; raise BadMessageError when one is missing or of a wrong type."""
    try:
        return msgspec.convert(message, shape)
    except msgspec.ValidationError as error:
        raise BadMessageError(f"{message['type']}: {error}") from None


def rtc_configuration(config: Config, *, use_servers: bool) -> RTCConfiguration:
    """Return how our end of a connection is set up.

    The list of servers is given even when it is empty: without one, aiortc asks a public STUN server. One transport
    carries everything, so that there is one path to find and one handshake to make.
    """
    options = config.peer_connection_options
    servers = [
        RTCIceServer(urls=urls, username=server.username, credential=server.credential)
        for server in options.ice_servers[:MAX_ICE_SERVERS]
        if (urls := _usable(server.urls))
    ]
    return RTCConfiguration(
        iceServers=servers if use_servers else [],
        iceTransportPolicy=RTCIceTransportPolicy(options.ice_transport_policy),
        bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
    )


def _usable(urls: str | list[str]) -> list[str]:
    """Return the addresses that aiortc can read; one that it cannot read would cost every player its connection."""
    usable = []
    for url in [urls] if isinstance(urls, str) else urls[:MAX_ICE_SERVERS]:
        try:
            parse_stun_turn_uri(url)
        except ValueError:
            continue
        usable.append(url)
    return usable


def remote_candidate(candidate: Candidate) -> RTCIceCandidate | None:
    """Return a player's candidate; None for one that is of no use here.

    Of no use are the end of candidates (a player that we have not heard of may still find us), hidden addresses
    (see `sdp.for_trickling`) and TCP, which aiortc does not speak. Raises BadMessageError when it is no candidate.
    """
    text = candidate.candidate.removeprefix("candidate:")
    if len(text) > MAX_CANDIDATE_CHARACTERS:
        raise BadMessageError("a candidate that is too long")
    if not text.strip() or is_hidden(text):
        return None
    try:
        parsed = candidate_from_sdp(text)
    except (AssertionError, ValueError):
        raise BadMessageError("not a candidate") from None
    if parsed.protocol.lower() != "udp":
        return None
    # Everything is bundled on the first part of the description, whichever part a candidate was found for.
    parsed.sdpMLineIndex = 0
    return parsed
