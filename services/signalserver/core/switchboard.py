"""The signalling server's rules, without a socket: in goes who came, said or left; out comes what to do.

Every event carries a clock value in seconds; every method returns a list of outputs, to be carried out in order.
Keys are the caller's own; a key is known from `…_connected` until `left` or a `Close` output for it. The rules are
those of the reference servers, of all three dialects; each has a test with its name.
"""

from typing import Final, Generic

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.dialects import Dialect
from pixelfleet.protocol.messages import DEFAULT_LIMITS, BadMessageError, Limits, NestingError, check, dump, parse
from signalserver.core.message_rules import RULES
from signalserver.core.roster import Admission, K, Peer, Role, Source, Subscriber
from signalserver.core.state import Outputs, Rules, State

DEFAULT_ENDPOINT_ID: Final = "streamer"
"""The id of a streamer that never says its own."""

IDENTIFY: Final = dump({"type": "identify"})


class Switchboard(Generic[K]):
    """Streamers, players and SFUs of one server, and what passes between them."""

    def __init__(self, rules: Rules, limits: Limits = DEFAULT_LIMITS) -> None:
        self._state: State[K] = State(rules)
        self._limits = limits
        self.last_kind = "malformed"
        """The type of the last message that was received; `unknown` and `malformed` stand for all others."""

    # -- what happened ------------------------------------------------------------------------------

    def streamer_connected(
        self, key: K, now: float, config: bytes, *, address: str = "", identity: str = ""
    ) -> Outputs[K]:
        """A streamer came; `config` is its whole `config` message.

        Two connections with the same identity, which is not empty, are the same streamer: the later one takes the
        id of the earlier.
        """
        state = self._state
        state.now = now
        legacy = state.rules.legacy_streamers
        peer = Peer(key, Role.STREAMER, now, address)
        peer.source = Source(peer, Dialect.LEGACY if legacy else Dialect.MIDDLE, identity)
        state.roster.add(peer)
        state.send(peer, config, "config")
        if legacy:
            state.name(peer.source, DEFAULT_ENDPOINT_ID)
        else:
            state.send(peer, IDENTIFY, "identify")
        return state.take()

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
        state = self._state
        state.now = now
        peer = Peer(key, Role.PLAYER, now, address)
        peer.subscriber = Subscriber(peer, state.next_player_id(), admission, offers)
        state.roster.add(peer)
        state.send(peer, config, "config")
        state.tell_player_count()
        state.listed()
        return state.take()

    def sfu_connected(self, key: K, now: float, config: bytes, *, address: str = "", identity: str = "") -> Outputs[K]:
        """An SFU came: a subscriber to its streamer and, once it says `startStreaming`, a source to players."""
        state = self._state
        state.now = now
        peer = Peer(key, Role.SFU, now, address)
        peer.source = Source(peer, Dialect.MODERN, identity, streaming=False)
        peer.subscriber = Subscriber(peer, state.next_player_id())
        state.roster.add(peer)
        state.send(peer, config, "config")
        state.send(peer, IDENTIFY, "identify")
        return state.take()

    def received(self, key: K, data: bytes, now: float) -> Outputs[K]:
        """A peer sent one message."""
        state = self._state
        peer = state.roster.find(key)
        if peer is None:
            return []
        state.now = now
        self.last_kind = "malformed"
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
            state.drop(peer, self.last_kind, str(error), close=close_codes.TOO_DEEP)
        except BadMessageError as error:
            state.drop(peer, self.last_kind, str(error))
        return state.take()

    def left(self, key: K) -> Outputs[K]:
        """A peer's connection is gone."""
        peer = self._state.roster.find(key)
        if peer is not None:
            self._state.forget(peer)
        return self._state.take()

    def disconnect(self, key: K, why: CloseCode, reason: str | None = None) -> Outputs[K]:
        """Close a peer for a reason that came from outside the protocol: a kick, a shutdown."""
        peer = self._state.roster.find(key)
        if peer is not None:
            self._state.close(peer, why, reason)
        return self._state.take()

    def tick(self, now: float) -> Outputs[K]:
        """Time has passed: give ids to streamers that never named themselves."""
        state = self._state
        state.now = now
        state.forget_old_takeovers()
        for peer in list(state.roster.peers(Role.STREAMER)):
            source = peer.source
            if source and not source.endpoint_id and now - peer.since >= state.rules.identify_seconds:
                state.name(source, DEFAULT_ENDPOINT_ID)
        return state.take()

    # -- what is so ---------------------------------------------------------------------------------

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

    def peer(self, key: K) -> Peer[K] | None:
        """Return the peer with this key."""
        return self._state.roster.find(key)

    def longest_unanswered(self, now: float) -> float:
        """Return for how long a player has waited for the first word of its streamer; 0 when none waits."""
        waits = [player.unanswered_since for player in self.players() if player.unanswered_since is not None]
        return now - min(waits) if waits else 0.0
