"""The rules for messages from peers: one function per rule, one table per role.

A rule gets the state, the sender, the parsed message and its bytes. It raises BadMessageError for a message that it
cannot handle.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.dialects import Dialect, identified_dialect
from pixelfleet.protocol.first_frame import first_frame_steps
from pixelfleet.protocol.messages import BadMessageError, Message, dump, page_stats, path_kind, player_id_of
from signalserver.core.candidates import bundle_index, lacks_section
from signalserver.core.outputs import Call, FirstFrame, IcePathChanged
from signalserver.core.roster import K, Peer, Role, Source, Subscriber
from signalserver.core.state import MAX_ENDPOINT_ID_LENGTH, State

MAX_PATH_CHANGES: Final = 32
"""The server logs and counts this many changes of a player's ICE path; it ignores further ones."""

Rule = Callable[[State[Any], Peer[Any], Message, bytes], None]

# -- any peer ---------------------------------------------------------------------------------------


def answer_ping(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Send `pong` with the time of the ping."""
    if peer.subscriber is not None:
        peer.subscriber.pings = True
    pong: Message = {"type": "pong"}
    if "time" in message:
        pong["time"] = message["time"]
    state.send(peer, pong)


def ignore(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Accept a message that needs no action."""


# -- streamers and SFUs, as sources -----------------------------------------------------------------


def set_endpoint_id(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Assign an endpoint id to a source and confirm the id that was assigned."""
    source = peer.source
    assert source is not None
    if source.dialect is Dialect.LEGACY:
        raise BadMessageError("endpointId: the port is configured for 4.27 streamers, which have no ids")
    if not message["id"]:
        raise BadMessageError("endpointId: the id is empty")
    if peer.role is Role.STREAMER:
        source.dialect = identified_dialect(message.get("protocolVersion"))
    state.assign_endpoint_id(source, message["id"])
    state.send(peer, {"type": "endpointIdConfirm", "committedId": source.endpoint_id})


def relay_to_subscriber(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a source's message to the subscriber in `playerId`, which must be subscribed to this source."""
    subscriber = state.subscriber_of(peer, message)
    if message["type"] == "answer":
        subscriber.negotiated = True
    assert peer.source is not None
    if peer.source.dialect.keeps_player_id:
        state.send_encoded(subscriber.peer, data, message["type"])
    else:
        del message["playerId"]
        state.send(subscriber.peer, message)


def relay_description(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a source's offer or answer; remember its bundle for candidates without a media section."""
    state.subscriber_of(peer, message).bundle_index = bundle_index(message["sdp"])
    relay_to_subscriber(state, peer, message, data)


def relay_candidate(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a source's ICE candidate; add the index of the media section if it is missing and certain."""
    if lacks_section(message["candidate"]):
        _complete(state.subscriber_of(peer, message), message)
        data = dump(message)
    relay_to_subscriber(state, peer, message, data)


def _complete(subscriber: Subscriber[K], message: Message) -> None:
    """Add the index of its media section to a candidate without one, if the index is certain."""
    if subscriber.bundle_index is not None and lacks_section(message["candidate"]):
        message["candidate"]["sdpMLineIndex"] = subscriber.bundle_index


def relay_to_sfus(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a streamer's message to the SFUs that are subscribed to it."""
    assert peer.source is not None
    for subscriber in peer.source.subscribers.values():
        if subscriber.peer.role is Role.SFU:
            state.send_encoded(subscriber.peer, data, message["type"])


def disconnect_player(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Close a player at the request of its streamer."""
    subscriber = state.subscriber_of(peer, message)
    state.close(subscriber.peer, close_codes.DISCONNECTED_BY_STREAMER, message.get("reason"))


# -- players and SFUs, as subscribers ---------------------------------------------------------------


def list_streamers(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Send the ids that the peer may subscribe to: all for an SFU, only the leased streamer for a player with a lease.

    There is no answer when streamers are 4.27: it would make current pages subscribe and wait for an offer, which a
    4.27 streamer never sends. The 4.27 server does not have this message.
    """
    if state.rules.legacy_streamers:
        return
    admission = peer.subscriber.admission if peer.subscriber else None
    roster = state.roster
    if peer.role is Role.SFU:
        ids = [source.endpoint_id for source in roster.named() if source is not peer.source]
    elif admission is not None:
        source = roster.source(admission.endpoint_id)
        ids = [admission.shown_as] if source is not None and source.listed else []
    else:
        ids = [source.endpoint_id for source in roster.listed()]
    state.send(peer, {"type": "streamerList", "ids": ids})


def subscribe(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Subscribe to the requested streamer."""
    subscriber = peer.subscriber
    assert subscriber is not None
    wanted = message["streamerId"]
    admission = subscriber.admission
    if admission is not None and wanted in (admission.shown_as, admission.endpoint_id):
        source = state.roster.source(admission.endpoint_id)
        if source is None or not source.listed:
            # subscribeFailed would stop the page, but its session can still get another streamer.
            state.close(peer, close_codes.STREAM_UNAVAILABLE)
            return
    else:
        source = state.roster.source(wanted) if admission is None else None
        if source is None or source is peer.source or not (source.listed or peer.role is Role.SFU):
            why = f"No streamer {wanted[:MAX_ENDPOINT_ID_LENGTH]}"
            state.subscribe_failed(subscriber, why, close_codes.NO_STREAMER)
            return
    state.subscribe(subscriber, source)


def unsubscribe(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """End the subscription, if there is one."""
    assert peer.subscriber is not None
    state.unsubscribe(peer.subscriber)


def relay_to_source(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Forward a subscriber's message to its source with `playerId` added; subscribe it first if necessary."""
    subscriber = peer.subscriber
    assert subscriber is not None
    source = subscriber.subscribed_to or _default_source(state, subscriber, message["type"])
    if source is not None:
        message["playerId"] = subscriber.player_id
        state.send_to_source(source, message)
        if message["type"] == "offer":
            subscriber.unanswered_since = state.now
        elif message["type"] == "answer":
            subscriber.negotiated = True


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


def call_application(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Request a call to the application's REST API."""
    state.emit(Call(peer.key, message["action"], message.get("payload")))


def read_stats(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Read a player's ICE path and the times of its first frame from its statistics; ignore the rest.

    Both are logged, so their number per player is limited.
    """
    player = peer.subscriber
    assert player is not None
    stats = page_stats(message)
    kind = path_kind(stats)
    if kind is not None and kind != player.path and player.path_changes < MAX_PATH_CHANGES:
        player.path = kind
        player.path_changes += 1
        state.emit(IcePathChanged(peer.key, kind))
    if not player.first_frame_reported and (steps := first_frame_steps(stats)) is not None:
        player.first_frame_reported = True
        state.emit(FirstFrame(peer.key, steps))


def refuse(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Refuse a message that only a host may send."""
    raise BadMessageError("not allowed")


# -- SFUs -------------------------------------------------------------------------------------------


def relay_from_sfu(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's message to the subscriber in `playerId`, or to its streamer when there is none."""
    assert peer.source is not None
    subscriber = peer.source.subscribers.get(player_id_of(message) or "")
    if subscriber is None:
        relay_to_source(state, peer, message, data)
        return
    kind = message["type"]
    if kind == "answer":
        subscriber.negotiated = True
    if kind == "iceCandidate":
        _complete(subscriber, message)
    elif kind != "peerDataChannels":
        subscriber.bundle_index = bundle_index(message["sdp"])
    if kind in ("offer", "peerDataChannels"):
        del message["playerId"]
    state.send(subscriber.peer, message)


def relay_data_channels(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's data channels to its streamer with `sfuId` added."""
    assert peer.subscriber is not None
    message["sfuId"] = peer.subscriber.player_id
    relay_to_source(state, peer, message, data)


def start_streaming(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """List an SFU, so that players can subscribe to it."""
    assert peer.source is not None
    peer.source.streaming = True
    state.roster_changed()


def stop_streaming(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Remove an SFU from the list and end its subscriptions."""
    assert peer.source is not None
    peer.source.streaming = False
    state.end_subscriptions(peer.source)
    state.roster_changed()


_COMMON: Final[Mapping[str, Rule]] = {"ping": answer_ping, "pong": ignore}

RULES: Final[Mapping[Role, Mapping[str, Rule]]] = {
    Role.STREAMER: {
        **_COMMON,
        "answer": relay_description,
        "disconnectPlayer": disconnect_player,
        "endpointId": set_endpoint_id,
        "iceCandidate": relay_candidate,
        "layerPreference": relay_to_sfus,
        "offer": relay_description,
    },
    Role.PLAYER: {
        **_COMMON,
        "answer": relay_to_source,
        "control": call_application,
        "dataChannelRequest": relay_to_source,
        "iceCandidate": relay_to_source,
        "kick": refuse,
        "layerPreference": relay_to_source,
        "listStreamers": list_streamers,
        "offer": relay_to_source,
        "peerDataChannelsReady": relay_to_source,
        "stats": read_stats,
        "subscribe": subscribe,
        "unsubscribe": unsubscribe,
    },
    Role.SFU: {
        **_COMMON,
        "answer": relay_from_sfu,
        "disconnectPlayer": disconnect_player,
        "endpointId": set_endpoint_id,
        "iceCandidate": relay_from_sfu,
        "listStreamers": list_streamers,
        "offer": relay_from_sfu,
        "peerDataChannels": relay_from_sfu,
        "startStreaming": start_streaming,
        "stopStreaming": stop_streaming,
        "streamerDataChannels": relay_data_channels,
        "subscribe": subscribe,
        "unsubscribe": unsubscribe,
    },
}
"""The rules by role and message type. Messages of other types are dropped."""
