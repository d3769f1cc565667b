"""The rules for messages from peers: one function per rule, one table per role.

A rule gets the state, the sender, the parsed message and its bytes. It raises BadMessageError for a message that it
cannot handle.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.dialects import Dialect, identified_dialect
from pixelfleet.protocol.first_frame import first_frame_steps
from pixelfleet.protocol.messages import BadMessageError, Message, page_stats, path_kind
from pixelfleet.protocol.playback import reported_playback
from pixelfleet.protocol.video_failure import reported_failure
from signalserver.core import people
from signalserver.core.early_subscription import repeats
from signalserver.core.limits import report_activity
from signalserver.core.naming import claim_id
from signalserver.core.outputs import Call, FirstFrame, IcePathChanged, PlaybackReported
from signalserver.core.relaying import (
    relay_candidate,
    relay_data_channels,
    relay_description,
    relay_from_sfu,
    relay_to_sfus,
    relay_to_source,
)
from signalserver.core.roster import K, Peer, Role
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
    """Assign an endpoint id to a source and confirm the assigned id, at once or when the id's holder was asked."""
    source = peer.source
    assert source is not None
    if source.dialect is Dialect.LEGACY:
        raise BadMessageError("endpointId: the port is configured for 4.27 streamers, which have no ids")
    if not message["id"]:
        raise BadMessageError("endpointId: the id is empty")
    if peer.role is Role.STREAMER:
        source.dialect = identified_dialect(message.get("protocolVersion"))
        if source.dialect is Dialect.MODERN:
            source.strict = False
            state.strict_streamers.forget(peer.address)
    claim_id(state, source, message["id"], confirm=True)


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
    if state.rules.legacy_streamers or (peer.subscriber and repeats(peer.subscriber, "listStreamers")):
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
        # A player may subscribe to an SFU before it streams, as with Wilbur: the SFU hears of the player.
        if source is None or source is peer.source:
            why = f"No streamer {wanted[:MAX_ENDPOINT_ID_LENGTH]}"
            state.subscribe_failed(subscriber, why, close_codes.NO_STREAMER)
            return
    if not repeats(subscriber, "subscribe", source):
        state.subscribe(subscriber, source)


def unsubscribe(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """End the subscription, if there is one."""
    assert peer.subscriber is not None
    state.unsubscribe(peer.subscriber)


def call_application(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Request a call to the application's REST API."""
    player = peer.subscriber
    state.emit(Call(peer.key, message["action"], message.get("payload"), player is not None and player.watches))


def read_stats(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Read a player's ICE path, first frame, playback and failure from its statistics; ignore the rest.

    All but the playback are logged, so their number per player is limited.
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
    if (playback := reported_playback(stats)) is not None:
        state.emit(PlaybackReported(peer.key, *playback))
    if (failure := reported_failure(stats)) is not None:
        state.video_failed(player, *failure)


def relay_input(state: State[K], peer: Peer[K], message: Message, data: bytes) -> None:
    """Forward a message with which a player opens a data channel, unless the player may not send input."""
    if peer.subscriber is not None and peer.subscriber.watches:
        raise BadMessageError(people.OFFERS_INPUT)
    relay_to_source(state, peer, message, data)


# -- SFUs -------------------------------------------------------------------------------------------


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
        "activity": report_activity,
        "answer": relay_to_source,
        "control": call_application,
        "dataChannelRequest": relay_input,
        "handOver": people.hand_over,
        "iceCandidate": relay_to_source,
        "invite": people.invite,
        "kick": people.kick,
        "layerPreference": relay_to_source,
        "listStreamers": list_streamers,
        "mute": people.mute,
        "offer": relay_input,
        "peerDataChannelsReady": relay_input,
        "people": people.show_people,
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
