"""The messages of a signalling server to a streamer, their validation, and their conversion for aiortc."""

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
    """Return aiortc's configuration of a connection.

    The list of servers is set even when it is empty: without one, aiortc uses a public STUN server. All media share
    one transport, so that there is one ICE path and one handshake.
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
    """Return the URLs that aiortc can parse; an invalid one would make every connection fail."""
    usable = []
    for url in [urls] if isinstance(urls, str) else urls[:MAX_ICE_SERVERS]:
        try:
            parse_stun_turn_uri(url)
        except ValueError:
            continue
        usable.append(url)
    return usable


def remote_candidate(candidate: Candidate) -> RTCIceCandidate | None:
    """Return a player's candidate, or None for one that is not used.

    Not used are the end of candidates (peer-reflexive candidates may still follow), hidden addresses (see
    `sdp.for_trickling`) and TCP, which aiortc does not support. Raises BadMessageError for an invalid candidate.
    """
    text = candidate.candidate.removeprefix("candidate:")
    if len(text) > MAX_CANDIDATE_CHARACTERS:
        raise BadMessageError("the candidate is too long")
    if not text.strip() or is_hidden(text):
        return None
    try:
        parsed = candidate_from_sdp(text)
    except (AssertionError, ValueError):
        raise BadMessageError("the candidate is invalid") from None
    if parsed.protocol.lower() != "udp":
        return None
    # All media are bundled on the first media section, whatever section the candidate names.
    parsed.sdpMLineIndex = 0
    return parsed
