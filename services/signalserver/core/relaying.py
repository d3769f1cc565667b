"""The rules that forward a message to another peer, and the little that a server changes in it.

A source's description gets a stream for tracks without one (`Rules.name_streams`), and a candidate without a media
section gets its index. A player whose first answer refuses every video is closed: it would stay black.
"""

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import Message, dump, player_id_of
from pixelfleet.protocol.sdp import (
    MAX_LENGTH,
    RECEIVES,
    SENDS,
    lacks_streams,
    offers_data,
    refused_codecs,
    with_streams,
)
from pixelfleet.protocol.video_failure import NO_CODEC
from signalserver.core.candidates import bundle_index, lacks_section
from signalserver.core.outputs import InputOffered
from signalserver.core.roster import K, Peer, Role, Source, Subscriber
from signalserver.core.state import State

# -- from streamers ---------------------------------------------------------------------------------


def relay_description(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a streamer's offer or answer to the subscriber in `playerId`."""
    subscriber = state.subscriber_of(peer, message)
    sdp = message["sdp"]
    if _examine(state, subscriber, message):
        _to_subscriber(state, peer, subscriber, message, data if message["sdp"] is sdp else None)


def relay_candidate(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a streamer's ICE candidate to the subscriber in `playerId`."""
    subscriber = state.subscriber_of(peer, message)
    _to_subscriber(state, peer, subscriber, message, None if _complete(subscriber, message) else data)


def relay_to_sfus(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a streamer's message to the SFUs that are subscribed to it."""
    assert peer.source is not None
    for subscriber in peer.source.subscribers.values():
        if subscriber.peer.role is Role.SFU:
            state.send_encoded(subscriber.peer, data, message["type"])


def _to_subscriber(
    state: State[K], peer: Peer[K], subscriber: Subscriber[K], message: Message, data: bytes | None
) -> None:
    """Send a source's message to a subscriber; `data` is its JSON if it is unchanged."""
    assert peer.source is not None
    if not peer.source.dialect.keeps_player_id:
        del message["playerId"]
        data = None
    state.send_encoded(subscriber.peer, dump(message) if data is None else data, message["type"])


# -- from players and SFUs to their source ----------------------------------------------------------


def relay_to_source(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Forward a subscriber's message to its source with `playerId` added; subscribe it first if necessary."""
    subscriber = peer.subscriber
    assert subscriber is not None
    kind = message["type"]
    source = subscriber.subscribed_to or _default_source(state, subscriber, kind)
    if source is None:
        return
    if kind == "offer":
        subscriber.unanswered_since = state.now
        _remember_offer(subscriber, message["sdp"], RECEIVES)
    elif kind == "answer":
        subscriber.negotiated = True
        if _ends_without_codec(state, subscriber, message["sdp"]):
            return
    message["playerId"] = subscriber.player_id
    if not state.send_to_source(source, message):
        state.withhold(peer, source, kind)


def _default_source(state: State[K], subscriber: Subscriber[K], kind: str) -> Source[K] | None:
    """Subscribe a peer that sent no `subscribe` to its leased streamer, or to the first listed one; return it."""
    if kind == "offer":
        # An offer of the streamer would cross the peer's offer, and browsers do not recover from that.
        subscriber.offers = True
    if subscriber.admission is not None:
        source = state.roster.source(subscriber.admission.endpoint_id)
    else:
        source = next((s for s in state.roster.listed() if s is not subscriber.peer.source), None)
    if source is None or not source.listed:
        state.close(subscriber.peer, close_codes.NO_STREAMER)
        return None
    return source if state.subscribe(subscriber, source) else None


# -- from SFUs --------------------------------------------------------------------------------------


def relay_from_sfu(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's message to the subscriber in `playerId`, or to its streamer when there is none."""
    assert peer.source is not None
    subscriber = peer.source.subscribers.get(player_id_of(message) or "")
    if subscriber is None:
        relay_to_source(state, peer, message, data)
        return
    kind = message["type"]
    if kind == "iceCandidate":
        _complete(subscriber, message)
    elif kind != "peerDataChannels" and not _examine(state, subscriber, message):
        return
    if kind in ("offer", "peerDataChannels"):
        del message["playerId"]
    state.send(subscriber.peer, message)


def relay_data_channels(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's data channels to its streamer with `sfuId` added."""
    assert peer.subscriber is not None
    message["sfuId"] = peer.subscriber.player_id
    relay_to_source(state, peer, message, data)


# -- descriptions and candidates --------------------------------------------------------------------


def _examine(state: State[K], subscriber: Subscriber[K], message: Message) -> bool:
    """Read a source's offer or answer and name missing streams; return False if it ends the player's session."""
    sdp = message["sdp"]
    subscriber.bundle_index = bundle_index(sdp)
    if message["type"] == "offer":
        _remember_offer(subscriber, sdp, SENDS)
        if subscriber.watches and offers_data(sdp):
            _report_input(state, subscriber)
    else:
        subscriber.negotiated = True
        if _ends_without_codec(state, subscriber, sdp):
            return False
    if state.rules.name_streams and subscriber.peer.role is Role.PLAYER and lacks_streams(sdp):
        message["sdp"] = with_streams(sdp)
    return True


def _report_input(state: State[K], player: Subscriber[K]) -> None:
    """Report a source that offers a data channel to a player that may not send input."""
    source = player.subscribed_to
    assert source is not None
    state.emit(InputOffered(player.peer.key, source.endpoint_id))
    if not source.gives_input:
        source.gives_input = True
        state.roster_changed()


def _remember_offer(subscriber: Subscriber[K], sdp: str, wanted: frozenset[str]) -> None:
    """Keep the offer of a player's session until its first answer, for the codecs in it; not one beyond MAX_LENGTH."""
    if subscriber.awaits_answer and subscriber.peer.role is Role.PLAYER:
        subscriber.offer = (sdp, wanted) if len(sdp) <= MAX_LENGTH else None


def _ends_without_codec(state: State[K], subscriber: Subscriber[K], answer: str) -> bool:
    """Close a player if the first answer of its session refuses every video; return whether it was closed.

    Later answers are not examined: a page may stop its video on purpose.
    """
    offer, subscriber.offer, subscriber.awaits_answer = subscriber.offer, None, False
    codecs = refused_codecs(offer[0], answer, offer[1]) if offer is not None else None
    if codecs is None:
        return False
    state.close_without_video(subscriber, NO_CODEC, codecs)
    return True


def _complete(subscriber: Subscriber[K], message: Message) -> bool:
    """Add the index of its media section to a candidate without one, if it is certain; return whether it was added."""
    if subscriber.bundle_index is None or not lacks_section(message["candidate"]):
        return False
    message["candidate"]["sdpMLineIndex"] = subscriber.bundle_index
    return True
