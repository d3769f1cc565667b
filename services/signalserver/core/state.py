"""The state of a signalling server and the operations that the rules are made of."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Generic

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.dialects import understands
from pixelfleet.protocol.messages import BadMessageError, Message, dump, player_id_of
from pixelfleet.protocol.video_failure import no_codec_reason
from signalserver.core.outputs import (
    Close,
    MessageDropped,
    MessageWithheld,
    Output,
    RosterChanged,
    Send,
    VideoFailed,
)
from signalserver.core.parties import Parties
from signalserver.core.roster import Absence, Claim, K, Peer, Role, Roster, Source, Subscriber
from signalserver.core.session_time import SessionRules
from signalserver.core.strict_streamers import StrictStreamers

FIRST_PLAYER_ID: Final = 101
"""Player ids are numeric strings from this number on: the only form that all dialects accept."""

MAX_ENDPOINT_ID_LENGTH: Final = 128

FAILED_SUBSCRIBE_SECONDS: Final = 40.0
"""A player that was sent `subscribeFailed` is closed after this time without a subscription, unless it has sent `ping`.

Pages of 5.2 to 5.4 do not support the message and would stay black. Later ones show its text, and send their first ping
30 s after they connect.
"""

STREAMER_DISCONNECTED: Final = dump({"type": "streamerDisconnected"})

Outputs = list[Output[K]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of the switchboard."""

    legacy_streamers: bool = False
    """Streamers are 4.27: they get no `identify` and have no ids."""
    identify_seconds: float = 10.0
    """A streamer without `endpointId` after this time gets a default id."""
    first_media_seconds: float = 0.0
    """A player that occupies a slot for this time without an answer in either direction is closed; 0 is no limit."""
    max_players_per_streamer: int = 0
    """Subscribers per streamer; 0 is no limit."""
    tell_player_count: bool = False
    """Send players their number whenever it changes; pages of 4.27 can show it."""
    name_streams: bool = True
    """A track of a source's description that belongs to no stream is added to one: pages show only streams."""
    max_bad_messages: int = 100
    """A peer is closed when this many of its messages were dropped."""
    session: SessionRules = field(default_factory=SessionRules)
    """The limits of each session."""
    max_people: int = 8
    """People of one session, with its host; below 2 nobody can be invited."""
    max_invites: int = 32
    """Invites that the page of one host may make."""


class State(Generic[K]):
    """The roster, and the outputs of the event that is being handled."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.roster: Roster[K] = Roster()
        self._player_ids = count(FIRST_PLAYER_ID)
        self.strict_streamers = StrictStreamers()
        self.claims: dict[K, Claim[K]] = {}
        """The undecided claims to an endpoint id in use, by claimant."""
        self.takeovers: dict[str, deque[float]] = {}
        """The times of recent takeovers by endpoint id."""
        self.away: dict[K, Absence] = {}
        """The players without a websocket whose sessions are kept."""
        self.parties = Parties()
        self.people_changed = False
        """Whether the roster or a party has changed since parties were last settled."""
        self.stale: set[K] = set()
        """Players that must negotiate again when their present negotiation has had its answer."""
        self._outputs: Outputs[K] = []
        self.now = 0.0
        """The time of the event that is being handled, in seconds."""

    # -- outputs ------------------------------------------------------------------------------------

    def take_outputs(self) -> Outputs[K]:
        """Return the outputs since the last call, in order, and remove them."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def emit(self, output: Output[K]) -> None:
        """Add an output."""
        self._outputs.append(output)

    def send_encoded(self, peer: Peer[K], data: bytes, kind: str) -> None:
        """Send a message that is already JSON; `kind` is its type."""
        self._outputs.append(Send(peer.key, data, kind))

    def send(self, peer: Peer[K], message: Message) -> None:
        """Send a message."""
        self._outputs.append(Send(peer.key, dump(message), message["type"]))

    def send_to_source(self, source: Source[K], message: Message) -> bool:
        """Send a message to a source if it accepts this type; return whether it does."""
        accepted = understands(source.dialect, message["type"], strict=source.strict)
        if accepted:
            self.send(source.peer, message)
        return accepted

    def withhold(self, peer: Peer[K], source: Source[K], kind: str) -> None:
        """Report a message of a peer that its source does not accept."""
        self.emit(MessageWithheld(peer.key, kind, source.endpoint_id, kind not in source.withheld))
        source.withheld.add(kind)

    def roster_changed(self) -> None:
        """Announce that streamers, players or subscriptions changed."""
        self.people_changed = True
        self._outputs.append(RosterChanged())

    def drop_message(self, peer: Peer[K], kind: str, why: str, *, close: CloseCode | None = None) -> None:
        """Drop a message; close its sender with `close`, or when it sent too many such messages."""
        peer.bad_messages += 1
        self._outputs.append(MessageDropped(peer.key, kind, why, peer.bad_messages))
        if close is None and peer.bad_messages >= self.rules.max_bad_messages:
            close = close_codes.BAD_MESSAGES
        if close is not None:
            self.close(peer, close)

    # -- peers --------------------------------------------------------------------------------------

    def next_player_id(self) -> str:
        """Return a player id that was not used before."""
        return str(next(self._player_ids))

    def close(self, peer: Peer[K], why: CloseCode, reason: str | None = None) -> None:
        """Remove a peer and close its connection."""
        self.remove(peer)
        self._outputs.append(Close(peer.key, why, reason or why.reason))

    def remove(self, peer: Peer[K]) -> None:
        """Remove a peer and its subscriptions, and notify the peers concerned."""
        self.roster.remove(peer)
        self.away.pop(peer.key, None)
        if peer.subscriber is not None:
            self.unsubscribe(peer.subscriber)
        if peer.source is not None:
            self.end_subscriptions(peer.source)
        if peer.role is Role.PLAYER:
            self.send_player_count()
        self.roster_changed()

    def send_player_count(self) -> None:
        """Send the players their number, if the rules require it."""
        if self.rules.tell_player_count:
            players = list(self.roster.peers(Role.PLAYER))
            message = dump({"type": "playerCount", "count": len(players)})
            for player in players:
                self.send_encoded(player, message, "playerCount")

    # -- players ------------------------------------------------------------------------------------

    def close_idle_player(self, player: Subscriber[K]) -> None:
        """Close a player that has occupied a slot for too long without media, so that the slot becomes free.

        The time does not run while the player is away, but in all for no longer than the time itself or one absence: a
        page that is lost again and again would occupy the slot without end.
        """
        if player.negotiated or player.slot_since is None:
            return
        limit, absence = self.rules.first_media_seconds, self.away.get(player.peer.key)
        paused = player.paused + (self.now - absence.since if absence is not None else 0.0)
        if self.now - player.slot_since - min(paused, max(limit, player.longest_absence)) < limit:
            return
        if absence is not None:
            self.close(player.peer, close_codes.SESSION_GONE)
        elif player.unanswered_since is not None:
            # The streamer did not answer: another one may.
            self.close(player.peer, close_codes.STREAM_UNAVAILABLE)
        else:
            self.subscribe_failed(player, close_codes.NO_MEDIA.reason, close_codes.NO_MEDIA)
            self.close(player.peer, close_codes.NO_MEDIA)

    def close_failed_player(self, player: Subscriber[K]) -> None:
        """Close a player whose page does not support `subscribeFailed`, so that it connects again later."""
        if player.failure is not None and not player.pings:
            since, why = player.failure
            if self.now - since >= FAILED_SUBSCRIBE_SECONDS:
                self.close(player.peer, why)

    def close_without_video(self, player: Subscriber[K], reason: str, codecs: tuple[str, ...]) -> None:
        """Close a player that has no video codec in common with its source."""
        self.video_failed(player, reason, codecs)
        why = no_codec_reason(codecs)
        self.subscribe_failed(player, why, close_codes.NO_CODEC)
        self.close(player.peer, close_codes.NO_CODEC, why)

    def video_failed(self, player: Subscriber[K], reason: str, codecs: tuple[str, ...]) -> None:
        """Report the first failure of a player's video."""
        if not player.video_failed:
            player.video_failed = True
            self.emit(VideoFailed(player.peer.key, reason, codecs))

    def end_subscriptions(self, source: Source[K]) -> None:
        """End every subscription to a source that stopped streaming; notify the source if it is still connected."""
        for subscriber in list(source.subscribers.values()):
            if self.roster.find(source.peer.key) is None:
                del source.subscribers[subscriber.player_id]
                subscriber.subscribed_to = subscriber.unanswered_since = None
            else:
                self.unsubscribe(subscriber)
            if subscriber.peer.role is Role.SFU:
                self.send_encoded(subscriber.peer, STREAMER_DISCONNECTED, "streamerDisconnected")
                assert subscriber.peer.source is not None
                self.end_subscriptions(subscriber.peer.source)
            else:
                self.close(subscriber.peer, close_codes.STREAMER_LEFT)

    def subscriber_of(self, peer: Peer[K], message: Message) -> Subscriber[K]:
        """Return the subscriber in a message's `playerId`; raise BadMessageError if it is not one of the sender's."""
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
        """End the present subscription and subscribe to another source; return False when that source is full."""
        self.unsubscribe(subscriber)
        if self.is_full(source):
            self.subscribe_failed(subscriber, "The streamer is full", close_codes.FULL)
            return False
        subscriber.failure, subscriber.offer, subscriber.awaits_answer = None, None, True
        source.subscribers[subscriber.player_id] = subscriber
        subscriber.subscribed_to = source
        if subscriber.slot_since is None:
            subscriber.slot_since = self.now
        # A streamer sends nothing to a player that offers until the offer arrives.
        subscriber.unanswered_since = None if subscriber.offers else self.now
        connected: Message = {
            "type": "playerConnected",
            "playerId": subscriber.player_id,
            "dataChannel": not subscriber.watches,
            "sfu": subscriber.peer.role is Role.SFU,
        }
        if subscriber.offers:
            connected["sendOffer"] = False
        self.send_to_source(source, connected)
        self.roster_changed()
        return True

    def is_full(self, source: Source[K]) -> bool:
        """Return whether a source has as many subscribers as the rules allow."""
        limit = self.rules.max_players_per_streamer
        return limit > 0 and len(source.subscribers) >= limit

    def subscribe_failed(self, subscriber: Subscriber[K], why: str, later: CloseCode) -> None:
        """Send `subscribeFailed`: Epic's page of 5.5 and later shows the text and stops.

        An older page is closed with the code `later` by `close_failed_player`.
        """
        if subscriber.failure is None:
            subscriber.failure = (self.now, later)
        self.send(subscriber.peer, {"type": "subscribeFailed", "message": why})

    def unsubscribe(self, subscriber: Subscriber[K]) -> None:
        """End a subscription, if there is one."""
        source = subscriber.subscribed_to
        if source is None:
            return
        del source.subscribers[subscriber.player_id]
        subscriber.subscribed_to = subscriber.unanswered_since = None
        self.send_to_source(source, {"type": "playerDisconnected", "playerId": subscriber.player_id})
        self.roster_changed()
