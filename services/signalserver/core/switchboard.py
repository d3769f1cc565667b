"""The signalling protocol as a sans-I/O core: events in, outputs out.

Events carry the time in seconds where it matters. Each event method returns a list of outputs, which the caller
executes in order. The caller chooses the keys of peers; a key is valid from `…_connected` until `left` or a `Close`
output for it. The rules are those of the reference servers in all three dialects.
"""

from typing import Final, Generic

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.dialects import Dialect
from pixelfleet.protocol.messages import DEFAULT_LIMITS, BadMessageError, Limits, NestingError, check, dump, parse
from signalserver.core import absence, early_subscription, limits, people
from signalserver.core.message_rules import RULES
from signalserver.core.naming import answered, claim_id, prune_takeovers, settle_claims
from signalserver.core.parties import Party
from signalserver.core.roster import Admission, K, Peer, Role, Source, Subscriber
from signalserver.core.session_time import SessionRules
from signalserver.core.state import Outputs, Rules, State

DEFAULT_ENDPOINT_ID: Final = "streamer"
"""The id of a streamer that sends none."""

IDENTIFY: Final = dump({"type": "identify"})


class Switchboard(Generic[K]):
    """The streamers, players and SFUs of one server, and the messages between them."""

    def __init__(self, rules: Rules, limits: Limits = DEFAULT_LIMITS) -> None:
        self._state: State[K] = State(rules)
        self._limits = limits
        self.last_kind = "malformed"
        """The type of the last received message, or `unknown` or `malformed`, for metrics."""

    # -- events -------------------------------------------------------------------------------------

    def streamer_connected(
        self, key: K, now: float, config: bytes, *, address: str = "", identity: str = ""
    ) -> Outputs[K]:
        """Add a streamer; `config` is the complete `config` message for it.

        Connections with the same identity, unless it is empty, belong to the same streamer: a later one takes over
        the endpoint id of an earlier one.
        """
        state = self._state
        state.now = now
        legacy = state.rules.legacy_streamers
        peer = Peer(key, Role.STREAMER, now, address)
        dialect = Dialect.LEGACY if legacy else Dialect.MIDDLE
        peer.source = Source(peer, dialect, identity=identity, strict=address in state.strict_streamers)
        state.roster.add(peer)
        state.send_encoded(peer, config, "config")
        if legacy:
            claim_id(state, peer.source, DEFAULT_ENDPOINT_ID)
        else:
            state.send_encoded(peer, IDENTIFY, "identify")
        return self._finish()

    def player_connected(
        self,
        key: K,
        now: float,
        config: bytes,
        *,
        address: str = "",
        admission: Admission | None = None,
        offers: bool = False,
        pings: bool = False,
        former: Subscriber[K] | None = None,
        hears_limits: bool = False,
        subscribes: bool = False,
    ) -> Outputs[K]:
        """Add a player; with an admission it sees one streamer only. `offers`: the player sends the offer.

        `pings`: the player sends `ping` messages, which the caller answers. `former` is the player that had the session
        and its slot in an earlier negotiation, and has left. `hears_limits`: its page knows the message `sessionLimit`.
        `subscribes`: the page has asked to be subscribed on its arrival (`core.early_subscription`).
        """
        state = self._state
        state.now = now
        peer = Peer(key, Role.PLAYER, now, address)
        peer.subscriber = Subscriber(peer, state.next_player_id(), admission, offers, pings=pings)
        peer.subscriber.hears_limits = hears_limits
        peer.subscriber.config = config
        if admission is not None:
            peer.subscriber.slot_since = now
        if former is not None:
            peer.subscriber.time = former.time
            absence.renew(peer.subscriber, former)
            people.renew(peer.subscriber, former)
        elif admission is not None and admission.seconds > 0:
            peer.subscriber.time.longest = admission.seconds
        state.roster.add(peer)
        state.send_encoded(peer, config, "config")
        limits.begin(state, peer.subscriber)
        people.enter(state, peer.subscriber)
        state.send_player_count()
        state.roster_changed()
        if subscribes and state.roster.find(key) is not None:  # an invited player may have been turned away
            early_subscription.begin(state, peer.subscriber)
        return self._finish()

    def sfu_connected(self, key: K, now: float, config: bytes, *, address: str = "", identity: str = "") -> Outputs[K]:
        """Add an SFU: a subscriber to its streamer and, once it sends `startStreaming`, a source to players."""
        state = self._state
        state.now = now
        peer = Peer(key, Role.SFU, now, address)
        peer.source = Source(peer, Dialect.MODERN, identity=identity, streaming=False)
        peer.subscriber = Subscriber(peer, state.next_player_id())
        state.roster.add(peer)
        state.send_encoded(peer, config, "config")
        state.send_encoded(peer, IDENTIFY, "identify")
        return self._finish()

    def received(self, key: K, data: bytes, now: float) -> Outputs[K]:
        """Handle one message of a peer."""
        state = self._state
        peer = state.roster.find(key)
        if peer is None:
            return []
        state.now = now
        self.last_kind = "malformed"
        if state.claims:
            answered(state, peer)
        try:
            message = parse(data, self._limits)
            rule = RULES[peer.role].get(message["type"])
            if rule is None:
                self.last_kind = "unknown"
                raise BadMessageError("unknown type")
            self.last_kind = message["type"]
            check(message)
            rule(state, peer, message, data)
        except NestingError as error:
            state.drop_message(peer, self.last_kind, str(error), close=close_codes.TOO_DEEP)
        except BadMessageError as error:
            state.drop_message(peer, self.last_kind, str(error))
        return self._finish()

    def left(self, key: K, reason: str = "", *, continues: bool = False) -> Outputs[K]:
        """Remove a peer whose connection ended; `reason` is the peer's close reason.

        `continues`: the next event is the connection of a player that continues the session.
        """
        state = self._state
        peer = state.roster.find(key)
        if peer is not None:
            state.remove(peer)
            if (refused := state.strict_streamers.left(peer, reason)) is not None:
                state.emit(refused)
        return state.take_outputs() if continues else self._finish()

    def answered(self, key: K, now: float) -> Outputs[K]:
        """Record that a peer has answered a ping."""
        state = self._state
        state.now = now
        peer = state.roster.find(key)
        if peer is not None:
            answered(state, peer)
        return self._finish()

    def away(self, key: K, now: float, seconds: float) -> Outputs[K]:
        """Keep the session of a player whose websocket has ended, for `seconds` from now on.

        Messages for it are still returned as outputs: the caller keeps them. If the player has not returned in time,
        it is closed with SESSION_GONE.
        """
        state = self._state
        state.now = now
        peer = state.roster.find(key)
        if peer is not None and peer.subscriber is not None:
            absence.begin(state, peer.subscriber, seconds)
        return self._finish()

    def resumed(self, key: K, now: float, address: str = "") -> Outputs[K]:
        """Record that a player has a new websocket, from `address`."""
        state = self._state
        state.now = now
        peer = state.roster.find(key)
        if peer is not None and peer.subscriber is not None:
            peer.address = address
            absence.end(state, peer.subscriber)
            limits.warn_again(state, peer.subscriber)
        return self._finish()

    def extend(self, key: K, now: float, seconds: float) -> Outputs[K]:
        """Let the session of a player last longer by `seconds`, and let its time without input begin anew."""
        state = self._state
        state.now = now
        peer = state.roster.find(key)
        if peer is not None and peer.subscriber is not None:
            limits.extend(state, peer.subscriber, seconds)
        return self._finish()

    def disconnect(self, key: K, why: CloseCode, reason: str | None = None) -> Outputs[K]:
        """Close a peer for a reason outside the protocol: an operator's action, a shutdown."""
        peer = self._state.roster.find(key)
        if peer is not None:
            self._state.close(peer, why, reason)
        return self._finish()

    def tick(self, now: float) -> Outputs[K]:
        """Assign default ids to streamers that sent none in time, and close players without media in time.

        Players that did not return in time, those that were sent `subscribeFailed`, and those whose sessions have
        reached a limit, are closed, too. To be called about once a second.
        """
        state = self._state
        state.now = now
        prune_takeovers(state)
        for peer in list(state.roster.peers(Role.STREAMER)):
            source = peer.source
            unnamed = source and not source.endpoint_id and peer.key not in state.claims
            if source and unnamed and now - peer.connected_at >= state.rules.identify_seconds:
                claim_id(state, source, DEFAULT_ENDPOINT_ID)
        absence.expire(state)
        for player in self.players():
            state.close_failed_player(player)
        if state.rules.first_media_seconds:
            for player in self.players():
                state.close_idle_player(player)
        limits.check(state)
        return self._finish()

    def _finish(self) -> Outputs[K]:
        """Settle what the event has decided, and return its outputs."""
        if self._state.claims:
            settle_claims(self._state)
        if (self._state.people_changed and self._state.parties) or self._state.stale:
            people.settle(self._state)
        return self._state.take_outputs()

    # -- queries ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._state.roster)

    def streamers(self) -> list[Source[K]]:
        """Return the streamers and SFUs that players can subscribe to."""
        return self._state.roster.listed()

    def sources(self) -> list[Source[K]]:
        """Return every streamer and SFU that has an id."""
        return self._state.roster.named()

    def players(self) -> list[Subscriber[K]]:
        """Return the connected players, oldest first."""
        return [peer.subscriber for peer in self._state.roster.peers(Role.PLAYER) if peer.subscriber]

    def is_away(self, key: K) -> bool:
        """Return whether a player has no websocket, and its session is kept."""
        return key in self._state.away

    @property
    def away_count(self) -> int:
        """The number of players that are away."""
        return len(self._state.away)

    def session_rules(self, player: Subscriber[K]) -> SessionRules:
        """Return the limits of a player's session."""
        return limits.rules_of(self._state, player)

    def peer(self, key: K) -> Peer[K] | None:
        """Return the peer with this key, or None."""
        return self._state.roster.find(key)

    def parties(self) -> list[Party]:
        """Return the people of each session with invited ones."""
        return list(self._state.parties)

    def longest_unanswered(self, now: float) -> float:
        """Return the longest time in seconds that a player has waited for its streamer's first message, or 0.

        Players of an SFU that does not stream yet are not counted: it answers them when it streams.
        """
        waits = [
            player.unanswered_since
            for player in self.players()
            if player.unanswered_since is not None and player.subscribed_to and player.subscribed_to.streaming
        ]
        return now - min(waits) if waits else 0.0
