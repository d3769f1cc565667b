"""The signalling server's rules, without a socket: in goes who came, said or left; out comes what to do.

Every method takes a clock value in seconds where time matters and returns a list of outputs, to be carried out in
order. Keys are the caller's own; a key is known from `…_connected` until `left` or a `Close` output for it.
The rules are those of the reference servers, of all three dialects; each has a test with its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, Final, Generic

from pixelfleet.wire import close_codes
from pixelfleet.wire.close_codes import CloseCode
from pixelfleet.wire.dialects import LEGACY_STREAMER_UNDERSTANDS, Dialect, identified_dialect
from pixelfleet.wire.messages import BadMessageError, Message, check, dump, parse, player_id_of
from signalserver.outputs import Call, Close, Drop, Listed, Output, Send
from signalserver.roster import Admission, K, Peer, Role, Roster, Source, Subscriber

FIRST_PLAYER_ID: Final = 101
"""Ids are numeric strings from here on: the only form that all dialects accept."""

DEFAULT_ENDPOINT_ID: Final = "streamer"
MAX_ENDPOINT_ID_LENGTH: Final = 128

IDENTIFY: Final = dump({"type": "identify"})
STREAMER_DISCONNECTED: Final = dump({"type": "streamerDisconnected"})

Outputs = list[Output[K]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator can choose."""

    legacy_streamers: bool = False
    """Streamers are 4.27: they are never asked who they are."""
    identify_seconds: float = 10.0
    """After this time without `endpointId` a streamer gets an id of the server's."""
    max_players_per_streamer: int = 0
    """Subscribers a streamer; 0 is no limit."""
    max_bad_messages: int = 100
    """A peer is closed when this many of its messages were not understood."""


class Switchboard(Generic[K]):
    """Streamers, players and SFUs of one server, and what passes between them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._roster: Roster[K] = Roster()
        self._player_ids = count(FIRST_PLAYER_ID)
        self._out: Outputs[K] = []

    # -- what happened ------------------------------------------------------------------------------

    def streamer_connected(self, key: K, now: float, config: bytes, *, address: str = "") -> Outputs[K]:
        """A streamer came; `config` is its whole `config` message."""
        dialect = Dialect.LEGACY if self._rules.legacy_streamers else Dialect.MIDDLE
        peer = Peer(key, Role.STREAMER, now, address)
        peer.source = Source(peer, dialect)
        self._roster.add(peer)
        self._send(peer, config, "config")
        if dialect is Dialect.LEGACY:
            self._list(peer.source, DEFAULT_ENDPOINT_ID)
        else:
            self._send(peer, IDENTIFY, "identify")
        return self._take()

    def player_connected(
        self,
        key: K,
        now: float,
        config: bytes,
        *,
        address: str = "",
        admission: Admission | None = None,
        offers: bool = False,
    ) -> Outputs[K]:
        """A player came; with an admission it sees one streamer only."""
        peer = Peer(key, Role.PLAYER, now, address)
        peer.subscriber = Subscriber(peer, str(next(self._player_ids)), admission, offers)
        self._roster.add(peer)
        self._send(peer, config, "config")
        self._out.append(Listed())
        return self._take()

    def sfu_connected(self, key: K, now: float, config: bytes, *, address: str = "") -> Outputs[K]:
        """An SFU came: a subscriber to its streamer and, once it says `startStreaming`, a source to players."""
        peer = Peer(key, Role.SFU, now, address)
        peer.source = Source(peer, Dialect.MODERN, streaming=False)
        peer.subscriber = Subscriber(peer, str(next(self._player_ids)))
        self._roster.add(peer)
        self._send(peer, config, "config")
        self._send(peer, IDENTIFY, "identify")
        return self._take()

    def received(self, key: K, data: bytes) -> Outputs[K]:
        """A peer sent one message."""
        peer = self._roster.find(key)
        if peer is None:
            return []
        kind = "malformed"
        try:
            message = parse(data)
            rule = self._RULES[peer.role].get(message["type"])
            if rule is None:
                raise BadMessageError("unknown type")
            kind = message["type"]
            check(message)
            rule(self, peer, message)
        except BadMessageError as error:
            self._bad(peer, kind, str(error))
        return self._take()

    def left(self, key: K) -> Outputs[K]:
        """A peer's connection is gone."""
        peer = self._roster.find(key)
        if peer is not None:
            self._forget(peer)
        return self._take()

    def disconnect(self, key: K, why: CloseCode, reason: str | None = None) -> Outputs[K]:
        """Close a peer for a reason that came from outside the protocol: a kick, a shutdown."""
        peer = self._roster.find(key)
        if peer is not None:
            self._close(peer, why, reason)
        return self._take()

    def tick(self, now: float) -> Outputs[K]:
        """Time has passed: give ids to streamers that never named themselves."""
        for peer in list(self._roster.peers(Role.STREAMER)):
            source = peer.source
            if source and not source.endpoint_id and now - peer.since >= self._rules.identify_seconds:
                self._list(source, DEFAULT_ENDPOINT_ID)
        return self._take()

    # -- what is so ---------------------------------------------------------------------------------

    def streamers(self) -> list[Source[K]]:
        """Return the streamers and SFUs that players can subscribe to."""
        return self._roster.listed()

    def sources(self) -> list[Source[K]]:
        """Return every streamer and SFU that has an id."""
        return self._roster.named()

    def players(self) -> list[Subscriber[K]]:
        """Return the connected players, oldest first."""
        return [peer.subscriber for peer in self._roster.peers(Role.PLAYER) if peer.subscriber]

    def peer(self, key: K) -> Peer[K] | None:
        """Return the peer with this key."""
        return self._roster.find(key)

    # -- sources ------------------------------------------------------------------------------------

    def _list(self, source: Source[K], wanted: str) -> None:
        """Give a source an id, or a new one, and tell whom it concerns."""
        old = source.endpoint_id
        name = self._roster.name(source, wanted[:MAX_ENDPOINT_ID_LENGTH])
        if old and old != name:
            changed = dump({"type": "streamerIdChanged", "newID": name})
            for subscriber in source.subscribers.values():
                if subscriber.admission is None:
                    self._send(subscriber.peer, changed, "streamerIdChanged")
        self._out.append(Listed())

    def _on_endpoint_id(self, peer: Peer[K], message: Message) -> None:
        source = peer.source
        assert source is not None
        if not message["id"]:
            raise BadMessageError("endpointId: the id is empty")
        if peer.role is Role.STREAMER:
            source.dialect = identified_dialect(message.get("protocolVersion"))
        self._list(source, message["id"])
        confirm = {"type": "endpointIdConfirm", "committedId": source.endpoint_id}
        self._send(peer, dump(confirm), "endpointIdConfirm")

    def _on_start_streaming(self, peer: Peer[K], _: Message) -> None:
        assert peer.source is not None
        peer.source.streaming = True
        self._out.append(Listed())

    def _on_stop_streaming(self, peer: Peer[K], _: Message) -> None:
        assert peer.source is not None
        peer.source.streaming = False
        self._let_go(peer.source)
        self._out.append(Listed())

    def _on_disconnect_player(self, peer: Peer[K], message: Message) -> None:
        subscriber = self._subscriber_of(peer, message)
        self._close(subscriber.peer, close_codes.DISCONNECTED_BY_STREAMER, message.get("reason"))

    def _to_subscriber(self, peer: Peer[K], message: Message) -> None:
        """Forward a source's message to the subscriber that it names, if that one is its own."""
        subscriber = self._subscriber_of(peer, message)
        assert peer.source is not None
        if not peer.source.dialect.keeps_player_id:
            message.pop("playerId", None)
        self._send(subscriber.peer, dump(message), message["type"])

    def _to_sfus(self, peer: Peer[K], message: Message) -> None:
        """Forward a streamer's message to the SFUs that are subscribed to it."""
        assert peer.source is not None
        for subscriber in peer.source.subscribers.values():
            if subscriber.peer.role is Role.SFU:
                self._send(subscriber.peer, dump(message), message["type"])

    def _subscriber_of(self, peer: Peer[K], message: Message) -> Subscriber[K]:
        """Return whom a source's message is for; one that names no subscriber of its own is refused."""
        player_id = player_id_of(message)
        if player_id is None:
            raise BadMessageError("no playerId")
        assert peer.source is not None
        subscriber = peer.source.subscribers.get(player_id)
        if subscriber is None:
            raise BadMessageError("playerId is not subscribed to the sender")
        return subscriber

    # -- subscribers --------------------------------------------------------------------------------

    def _on_list_streamers(self, peer: Peer[K], _: Message) -> None:
        admission = peer.subscriber.admission if peer.subscriber else None
        if peer.role is Role.SFU:
            ids = [source.endpoint_id for source in self._roster.named() if source is not peer.source]
        elif admission is not None:
            source = self._roster.source(admission.endpoint_id)
            ids = [admission.shown_as] if source is not None and source.listed else []
        else:
            ids = [source.endpoint_id for source in self._roster.listed()]
        self._send(peer, dump({"type": "streamerList", "ids": ids}), "streamerList")

    def _on_subscribe(self, peer: Peer[K], message: Message) -> None:
        subscriber = peer.subscriber
        assert subscriber is not None
        wanted = message["streamerId"]
        admission = subscriber.admission
        if admission is not None:
            if wanted not in (admission.shown_as, admission.endpoint_id):
                self._subscribe_failed(peer, f"No streamer {wanted[:MAX_ENDPOINT_ID_LENGTH]}")
                return
            wanted = admission.endpoint_id
        source = self._roster.source(wanted)
        if source is None or not source.listed or source is peer.source:
            if admission is not None:
                # The page would stop at subscribeFailed; its session can still be given another streamer.
                self._close(peer, close_codes.STREAM_UNAVAILABLE)
            else:
                self._subscribe_failed(peer, f"No streamer {wanted[:MAX_ENDPOINT_ID_LENGTH]}")
            return
        self._subscribe(subscriber, source)

    def _subscribe(self, subscriber: Subscriber[K], source: Source[K]) -> bool:
        """Subscribe, leaving the old source first; False when the new one is full."""
        self._unsubscribe(subscriber)
        limit = self._rules.max_players_per_streamer
        if limit and len(source.subscribers) >= limit:
            self._subscribe_failed(subscriber.peer, "The streamer is full")
            return False
        source.subscribers[subscriber.player_id] = subscriber
        subscriber.subscribed_to = source
        connected: Message = {
            "type": "playerConnected",
            "playerId": subscriber.player_id,
            "dataChannel": True,
            "sfu": subscriber.peer.role is Role.SFU,
        }
        if subscriber.offers:
            connected["sendOffer"] = False
        self._to_source(source, connected)
        self._out.append(Listed())
        return True

    def _subscribe_failed(self, peer: Peer[K], why: str) -> None:
        self._send(peer, dump({"type": "subscribeFailed", "message": why}), "subscribeFailed")

    def _on_unsubscribe(self, peer: Peer[K], _: Message) -> None:
        assert peer.subscriber is not None
        self._unsubscribe(peer.subscriber)

    def _unsubscribe(self, subscriber: Subscriber[K]) -> None:
        source = subscriber.subscribed_to
        if source is None:
            return
        del source.subscribers[subscriber.player_id]
        subscriber.subscribed_to = None
        self._to_source(source, {"type": "playerDisconnected", "playerId": subscriber.player_id})
        self._out.append(Listed())

    def _forward(self, peer: Peer[K], message: Message) -> None:
        """Forward a subscriber's message to its source, under its own id, subscribing it first where need be."""
        subscriber = peer.subscriber
        assert subscriber is not None
        source = subscriber.subscribed_to or self._implied_source(subscriber)
        if source is None:
            return
        message["playerId"] = subscriber.player_id
        self._to_source(source, message)

    def _implied_source(self, subscriber: Subscriber[K]) -> Source[K] | None:
        """Subscribe a player that never said `subscribe` to its leased streamer, or to the first."""
        if subscriber.admission is not None:
            source = self._roster.source(subscriber.admission.endpoint_id)
        else:
            source = next((s for s in self._roster.listed() if s is not subscriber.peer.source), None)
        if source is None or not source.listed:
            self._close(subscriber.peer, close_codes.NO_STREAMER)
            return None
        return source if self._subscribe(subscriber, source) else None

    def _on_control(self, peer: Peer[K], message: Message) -> None:
        self._out.append(Call(peer.key, message["action"], message.get("payload")))

    def _refuse(self, peer: Peer[K], message: Message) -> None:
        self._out.append(Drop(peer.key, message["type"], "not allowed"))

    # -- SFUs ---------------------------------------------------------------------------------------

    def _from_sfu(self, peer: Peer[K], message: Message) -> None:
        """Forward an SFU's message: down to the player that it names, else up to its streamer."""
        assert peer.source is not None
        player_id = player_id_of(message)
        if player_id is None or player_id not in peer.source.subscribers:
            self._forward(peer, message)
            return
        subscriber = peer.source.subscribers[player_id]
        if message["type"] in ("offer", "peerDataChannels"):
            message.pop("playerId")
        self._send(subscriber.peer, dump(message), message["type"])

    def _on_streamer_data_channels(self, peer: Peer[K], message: Message) -> None:
        assert peer.subscriber is not None
        message["sfuId"] = peer.subscriber.player_id
        self._forward(peer, message)

    # -- any peer -----------------------------------------------------------------------------------

    def _on_ping(self, peer: Peer[K], message: Message) -> None:
        pong: Message = {"type": "pong"}
        if "time" in message:
            pong["time"] = message["time"]
        self._send(peer, dump(pong), "pong")

    def _ignore(self, peer: Peer[K], message: Message) -> None:
        """Take a message that needs no answer."""

    def _bad(self, peer: Peer[K], kind: str, why: str) -> None:
        peer.bad_messages += 1
        self._out.append(Drop(peer.key, kind, why))
        if peer.bad_messages >= self._rules.max_bad_messages:
            self._close(peer, close_codes.BAD_MESSAGES)

    def _close(self, peer: Peer[K], why: CloseCode, reason: str | None = None) -> None:
        self._forget(peer)
        self._out.append(Close(peer.key, why, reason or why.reason))

    def _forget(self, peer: Peer[K]) -> None:
        """Take a peer out of everything, and tell whom it concerns."""
        self._roster.remove(peer)
        if peer.subscriber is not None:
            self._unsubscribe(peer.subscriber)
        if peer.source is not None:
            self._let_go(peer.source)
        self._out.append(Listed())

    def _let_go(self, source: Source[K]) -> None:
        """End every subscription to a source that is no more."""
        subscribers, source.subscribers = list(source.subscribers.values()), {}
        for subscriber in subscribers:
            subscriber.subscribed_to = None
            if subscriber.peer.role is Role.SFU:
                self._send(subscriber.peer, STREAMER_DISCONNECTED, "streamerDisconnected")
                if subscriber.peer.source is not None:
                    self._let_go(subscriber.peer.source)
            else:
                self._close(subscriber.peer, close_codes.STREAMER_LEFT)

    def _to_source(self, source: Source[K], message: Message) -> None:
        """Send to a source what its dialect understands."""
        kind = message["type"]
        if source.dialect is Dialect.LEGACY and kind not in LEGACY_STREAMER_UNDERSTANDS:
            return
        self._send(source.peer, dump(message), kind)

    def _send(self, peer: Peer[K], data: bytes, kind: str) -> None:
        self._out.append(Send(peer.key, data, kind))

    def _take(self) -> Outputs[K]:
        out, self._out = self._out, []
        return out

    _RULES: ClassVar[Mapping[Role, Mapping[str, Callable[[Any, Any, Message], None]]]] = {
        Role.STREAMER: {
            "answer": _to_subscriber,
            "disconnectPlayer": _on_disconnect_player,
            "endpointId": _on_endpoint_id,
            "iceCandidate": _to_subscriber,
            "layerPreference": _to_sfus,
            "offer": _to_subscriber,
            "ping": _on_ping,
            "pong": _ignore,
        },
        Role.PLAYER: {
            "answer": _forward,
            "control": _on_control,
            "dataChannelRequest": _forward,
            "iceCandidate": _forward,
            "kick": _refuse,
            "layerPreference": _forward,
            "listStreamers": _on_list_streamers,
            "offer": _forward,
            "peerDataChannelsReady": _forward,
            "ping": _on_ping,
            "pong": _ignore,
            "stats": _ignore,
            "subscribe": _on_subscribe,
            "unsubscribe": _on_unsubscribe,
        },
        Role.SFU: {
            "answer": _from_sfu,
            "disconnectPlayer": _on_disconnect_player,
            "endpointId": _on_endpoint_id,
            "iceCandidate": _from_sfu,
            "listStreamers": _on_list_streamers,
            "offer": _from_sfu,
            "peerDataChannels": _from_sfu,
            "ping": _on_ping,
            "pong": _ignore,
            "startStreaming": _on_start_streaming,
            "stopStreaming": _on_stop_streaming,
            "streamerDataChannels": _on_streamer_data_channels,
            "subscribe": _on_subscribe,
            "unsubscribe": _on_unsubscribe,
        },
    }
    """Which peer may send which message, and what then happens. What is not here is dropped."""
