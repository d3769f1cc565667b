"""What happens when a peer sends a message: one function a rule, and one table a role.

A rule gets the exchange, the sender, the parsed message and the bytes that it came in. It raises BadMessageError
for a message that can go nowhere.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.dialects import Dialect, identified_dialect
from pixelfleet.protocol.first_frame import first_frame_steps
from pixelfleet.protocol.messages import BadMessageError, Message, page_stats, path_kind, player_id_of
from signalserver.core.outputs import Call, FirstFrame, Path
from signalserver.core.roster import K, Peer, Role, Source, Subscriber
from signalserver.core.state import MAX_ENDPOINT_ID_LENGTH, State

MAX_PATH_CHANGES: Final = 32
"""How many ways of its video a player may tell of, one after the other; more is said by nobody who means it."""

Rule = Callable[[State[Any], Peer[Any], Message, bytes], None]

# -- any peer ---------------------------------------------------------------------------------------


def answer_ping(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Send `pong` with the time that came."""
    pong: Message = {"type": "pong"}
    if "time" in message:
        pong["time"] = message["time"]
    state.say(peer, pong)


def ignore(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Take a message that needs no answer."""


# -- streamers and SFUs, as sources -----------------------------------------------------------------


def take_endpoint_id(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Name a source, or rename it, and confirm the id that it really got."""
    source = peer.source
    assert source is not None
    if source.dialect is Dialect.LEGACY:
        raise BadMessageError("endpointId: the port is set to 4.27 streamers, which have no ids")
    if not message["id"]:
        raise BadMessageError("endpointId: the id is empty")
    if peer.role is Role.STREAMER:
        source.dialect = identified_dialect(message.get("protocolVersion"))
    state.name(source, message["id"])
    state.say(peer, {"type": "endpointIdConfirm", "committedId": source.endpoint_id})


def to_subscriber(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a source's message to the subscriber that it names, if that one is its own."""
    subscriber = state.subscriber_of(peer, message)
    assert peer.source is not None
    if peer.source.dialect.keeps_player_id:
        state.send(subscriber.peer, data, message["type"])
    else:
        del message["playerId"]
        state.say(subscriber.peer, message)


def to_sfus(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a streamer's message to the SFUs that are subscribed to it."""
    assert peer.source is not None
    for subscriber in peer.source.subscribers.values():
        if subscriber.peer.role is Role.SFU:
            state.send(subscriber.peer, data, message["type"])


def disconnect_player(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Close a player because its streamer says so."""
    subscriber = state.subscriber_of(peer, message)
    state.close(subscriber.peer, close_codes.DISCONNECTED_BY_STREAMER, message.get("reason"))


# -- players and SFUs, as subscribers ---------------------------------------------------------------


def list_streamers(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Send the ids that the peer may subscribe to: an SFU sees all, a leased player only its own streamer."""
    if state.rules.legacy_streamers:
        # Today's pages ask every server. An answer would make them subscribe and wait for an offer, and a 4.27
        # streamer never makes one; its own server does not know the question.
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
    state.say(peer, {"type": "streamerList", "ids": ids})


def subscribe(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Subscribe to the streamer that is asked for."""
    subscriber = peer.subscriber
    assert subscriber is not None
    wanted = message["streamerId"]
    admission = subscriber.admission
    if admission is not None and wanted in (admission.shown_as, admission.endpoint_id):
        source = state.roster.source(admission.endpoint_id)
        if source is None or not source.listed:
            # The page would stop at subscribeFailed; its session can still be given another streamer.
            state.close(peer, close_codes.STREAM_UNAVAILABLE)
            return
    else:
        source = state.roster.source(wanted) if admission is None else None
        if source is None or source is peer.source or not (source.listed or peer.role is Role.SFU):
            state.subscribe_failed(subscriber, f"No streamer {wanted[:MAX_ENDPOINT_ID_LENGTH]}")
            return
    state.subscribe(subscriber, source)


def unsubscribe(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """End the subscription; a second time this does nothing."""
    assert peer.subscriber is not None
    state.unsubscribe(peer.subscriber)


def to_source(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Forward a subscriber's message to its source under its own id, subscribing it first where need be."""
    subscriber = peer.subscriber
    assert subscriber is not None
    source = subscriber.subscribed_to or _implied_source(state, subscriber, message["type"])
    if source is not None:
        message["playerId"] = subscriber.player_id
        state.to_source(source, message)
        if message["type"] == "offer":
            subscriber.unanswered_since = state.now


def _implied_source(state: State[K], subscriber: Subscriber[K], kind: str) -> Source[K] | None:
    """Subscribe a peer that never said `subscribe` to its leased streamer, or to the first."""
    if kind == "offer":
        # It has made its offer: one of the streamer's would cross it, and browsers do not recover from that.
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
    """Ask the driver to call the application's REST API."""
    state.output(Call(peer.key, message["action"], message.get("payload")))


def take_stats(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Hear which way a player's video takes, and how it came to its first frame; other statistics are of no interest.

    Each is a line in the log, so a player tells no more often than a page has reason to.
    """
    player = peer.subscriber
    assert player is not None
    told = page_stats(message)
    kind = path_kind(told)
    if kind is not None and kind != player.path and player.path_changes < MAX_PATH_CHANGES:
        player.path = kind
        player.path_changes += 1
        state.output(Path(peer.key, kind))
    if not player.has_told_first_frame and (steps := first_frame_steps(told)) is not None:
        player.has_told_first_frame = True
        state.output(FirstFrame(peer.key, steps))


def refuse(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Refuse what only a host may do."""
    raise BadMessageError("not allowed")


# -- SFUs -------------------------------------------------------------------------------------------


def from_sfu(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's message: down to the player that it names, else up to its streamer."""
    assert peer.source is not None
    subscriber = peer.source.subscribers.get(player_id_of(message) or "")
    if subscriber is None:
        to_source(state, peer, message, data)
        return
    if message["type"] in ("offer", "peerDataChannels"):
        del message["playerId"]
    state.say(subscriber.peer, message)


def streamer_data_channels(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward an SFU's data channels to its streamer, with the SFU's own id."""
    assert peer.subscriber is not None
    message["sfuId"] = peer.subscriber.player_id
    to_source(state, peer, message, data)


def start_streaming(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Let players subscribe to an SFU."""
    assert peer.source is not None
    peer.source.streaming = True
    state.listed()


def stop_streaming(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Let an SFU's players go."""
    assert peer.source is not None
    peer.source.streaming = False
    state.let_go(peer.source)
    state.listed()


_COMMON: Final[Mapping[str, Rule]] = {"ping": answer_ping, "pong": ignore}

RULES: Final[Mapping[Role, Mapping[str, Rule]]] = {
    Role.STREAMER: {
        **_COMMON,
        "answer": to_subscriber,
        "disconnectPlayer": disconnect_player,
        "endpointId": take_endpoint_id,
        "iceCandidate": to_subscriber,
        "layerPreference": to_sfus,
        "offer": to_subscriber,
    },
    Role.PLAYER: {
        **_COMMON,
        "answer": to_source,
        "control": call_application,
        "dataChannelRequest": to_source,
        "iceCandidate": to_source,
        "kick": refuse,
        "layerPreference": to_source,
        "listStreamers": list_streamers,
        "offer": to_source,
        "peerDataChannelsReady": to_source,
        "stats": take_stats,
        "subscribe": subscribe,
        "unsubscribe": unsubscribe,
    },
    Role.SFU: {
        **_COMMON,
        "answer": from_sfu,
        "disconnectPlayer": disconnect_player,
        "endpointId": take_endpoint_id,
        "iceCandidate": from_sfu,
        "listStreamers": list_streamers,
        "offer": from_sfu,
        "peerDataChannels": from_sfu,
        "startStreaming": start_streaming,
        "stopStreaming": stop_streaming,
        "streamerDataChannels": streamer_data_channels,
        "subscribe": subscribe,
        "unsubscribe": unsubscribe,
    },
}
"""Which peer may send which message, and what then happens. What is not here is dropped."""
