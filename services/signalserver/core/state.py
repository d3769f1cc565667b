"""The state of a signalling server and the steps that its rules are made of."""

from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.dialects import understands
from pixelfleet.protocol.messages import BadMessageError, Message, dump, player_id_of
from signalserver.core.outputs import Close, Drop, Listed, Named, Output, Send
from signalserver.core.roster import K, Peer, Role, Roster, Source, Subscriber

FIRST_PLAYER_ID: Final = 101
"""Ids are numeric strings from here on: the only form that all dialects accept."""

MAX_ENDPOINT_ID_LENGTH: Final = 128

TAKEOVER_WINDOW_SECONDS: Final = 60.0
MAX_TAKEOVERS: Final = 3
"""More takeovers of one id in the window are two streamers that fight over it: the next one gets another id."""

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
    tell_player_count: bool = False
    """Every player hears how many there are, whenever that changes: pages of 4.27 can show it."""
    max_bad_messages: int = 100
    """A peer is closed when this many of its messages were not understood."""


class State(Generic[K]):
    """Peers, subscriptions and the outputs that wait to be carried out."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.roster: Roster[K] = Roster()
        self._player_ids = count(FIRST_PLAYER_ID)
        self._takeovers: dict[str, deque[float]] = {}
        self._out: Outputs[K] = []
        self.now = 0.0
        """The clock value of the event that is being handled."""

    # -- outputs ------------------------------------------------------------------------------------

    def take(self) -> Outputs[K]:
        """Return what is to be done, and begin anew."""
        out, self._out = self._out, []
        return out

    def output(self, output: Output[K]) -> None:
        """Ask the driver for something."""
        self._out.append(output)

    def send(self, peer: Peer[K], data: bytes, kind: str) -> None:
        """Send a message that is already written."""
        self._out.append(Send(peer.key, data, kind))

    def say(self, peer: Peer[K], message: Message) -> None:
        """Send a message."""
        self._out.append(Send(peer.key, dump(message), message["type"]))

    def to_source(self, source: Source[K], message: Message) -> None:
        """Send a source what its dialect understands."""
        if understands(source.dialect, message["type"]):
            self.say(source.peer, message)

    def listed(self) -> None:
        """Say that streamers or sessions changed."""
        self._out.append(Listed())

    def drop(self, peer: Peer[K], kind: str, why: str, *, close: CloseCode | None = None) -> None:
        """Say that a message went nowhere, and close its sender if it is to be; so is one that sends too many such."""
        peer.bad_messages += 1
        self._out.append(Drop(peer.key, kind, why, peer.bad_messages))
        if close is None and peer.bad_messages >= self.rules.max_bad_messages:
            close = close_codes.BAD_MESSAGES
        if close is not None:
            self.close(peer, close)

    # -- peers --------------------------------------------------------------------------------------

    def next_player_id(self) -> str:
        """Return an id that no player of this server has had."""
        return str(next(self._player_ids))

    def close(self, peer: Peer[K], why: CloseCode, reason: str | None = None) -> None:
        """Close a peer; for the rules it is gone at once."""
        self.forget(peer)
        self._out.append(Close(peer.key, why, reason or why.reason))

    def forget(self, peer: Peer[K]) -> None:
        """Take a peer out of everything, and tell whom it concerns."""
        self.roster.remove(peer)
        if peer.subscriber is not None:
            self.unsubscribe(peer.subscriber)
        if peer.source is not None:
            self.let_go(peer.source)
        if peer.role is Role.PLAYER:
            self.tell_player_count()
        self.listed()

    def tell_player_count(self) -> None:
        """Tell the players how many they are, if that is wanted."""
        if self.rules.tell_player_count:
            players = list(self.roster.peers(Role.PLAYER))
            message = dump({"type": "playerCount", "count": len(players)})
            for player in players:
                self.send(player, message, "playerCount")

    # -- sources ------------------------------------------------------------------------------------

    def name(self, source: Source[K], wanted: str) -> None:
        """Give a source an id, or a new one, and tell whom it concerns."""
        wanted = wanted[:MAX_ENDPOINT_ID_LENGTH]
        holder = self.roster.source(wanted)
        if holder is not None and holder is not source and self._may_take_over(source, holder):
            self.close(holder.peer, close_codes.REPLACED)
        old = source.endpoint_id
        name = self.roster.name(source, wanted)
        self.output(Named(source.peer.key, name, wanted))
        if old and old != name:
            for subscriber in source.subscribers.values():
                if subscriber.admission is None:
                    self.say(subscriber.peer, {"type": "streamerIdChanged", "newID": name})
        self.listed()

    def _may_take_over(self, source: Source[K], holder: Source[K]) -> bool:
        """Tell whether a source is the holder of the id come back, and not one of two that fight over it."""
        if not source.identity or source.identity != holder.identity or source.peer.role is not holder.peer.role:
            return False
        times = self._takeovers.setdefault(holder.endpoint_id, deque(maxlen=MAX_TAKEOVERS))
        if len(times) == MAX_TAKEOVERS and self.now - times[0] < TAKEOVER_WINDOW_SECONDS:
            return False
        times.append(self.now)
        return True

    def forget_old_takeovers(self) -> None:
        """Drop what is remembered of takeovers that are long past."""
        for name in [n for n, times in self._takeovers.items() if self.now - times[-1] >= TAKEOVER_WINDOW_SECONDS]:
            del self._takeovers[name]

    def let_go(self, source: Source[K]) -> None:
        """End every subscription to a source that streams no more; if it is still here, it hears of each."""
        for subscriber in list(source.subscribers.values()):
            if self.roster.find(source.peer.key) is None:
                del source.subscribers[subscriber.player_id]
                subscriber.subscribed_to = subscriber.unanswered_since = None
            else:
                self.unsubscribe(subscriber)
            if subscriber.peer.role is Role.SFU:
                self.send(subscriber.peer, STREAMER_DISCONNECTED, "streamerDisconnected")
                assert subscriber.peer.source is not None
                self.let_go(subscriber.peer.source)
            else:
                self.close(subscriber.peer, close_codes.STREAMER_LEFT)

    def subscriber_of(self, peer: Peer[K], message: Message) -> Subscriber[K]:
        """Return whom a source's message is for; raise BadMessageError when it names no subscriber of its own."""
        player_id = player_id_of(message)
        if player_id is None:
            raise BadMessageError("no playerId")
        assert peer.source is not None
        subscriber = peer.source.subscribers.get(player_id)
        if subscriber is None:
            raise BadMessageError("playerId is not subscribed to the sender")
        subscriber.unanswered_since = None
        return subscriber

    # -- subscriptions ------------------------------------------------------------------------------

    def subscribe(self, subscriber: Subscriber[K], source: Source[K]) -> bool:
        """Subscribe, leaving the old source first; False when the new one is full."""
        self.unsubscribe(subscriber)
        limit = self.rules.max_players_per_streamer
        if limit and len(source.subscribers) >= limit:
            self.subscribe_failed(subscriber, "The streamer is full")
            return False
        source.subscribers[subscriber.player_id] = subscriber
        subscriber.subscribed_to = source
        # A player that offers may take its time: its streamer has nothing to say before.
        subscriber.unanswered_since = None if subscriber.offers else self.now
        connected: Message = {
            "type": "playerConnected",
            "playerId": subscriber.player_id,
            "dataChannel": True,
            "sfu": subscriber.peer.role is Role.SFU,
        }
        if subscriber.offers:
            connected["sendOffer"] = False
        self.to_source(source, connected)
        self.listed()
        return True

    def subscribe_failed(self, subscriber: Subscriber[K], why: str) -> None:
        """Tell a player that it cannot have a streamer: Epic's page shows the text and stops."""
        self.say(subscriber.peer, {"type": "subscribeFailed", "message": why})

    def unsubscribe(self, subscriber: Subscriber[K]) -> None:
        """End a subscription, if there is one."""
        source = subscriber.subscribed_to
        if source is None:
            return
        del source.subscribers[subscriber.player_id]
        subscriber.subscribed_to = subscriber.unanswered_since = None
        self.to_source(source, {"type": "playerDisconnected", "playerId": subscriber.player_id})
        self.listed()
