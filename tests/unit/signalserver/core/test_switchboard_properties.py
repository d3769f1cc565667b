"""Invariants after any sequence of connects, messages, garbage and closes."""

from typing import Any

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pixelfleet.protocol.messages import SHAPES
from signalserver.core.outputs import Close, Output, Probe, Send
from signalserver.core.roster import Admission, Role
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from tests.unit.pixelfleet.protocol.test_sdp import recorded

CONFIG = b'{"type":"config","peerConnectionOptions":{}}'
NAMES = st.sampled_from(["cam", "cam1", "game", "streamer", "ä" * 200, ""])
IDS = st.one_of(st.integers(99, 115).map(str), st.integers(99, 115), st.none(), st.just("x"))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=5,
)
SDPS = st.sampled_from(["v=0", recorded("chromium_offer_h264"), recorded("firefox_answer_refused")])
GOOD_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "sdp": SDPS,
    "candidate": st.just({"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0}),
    "streamerId": NAMES,
    "id": NAMES,
    "playerId": IDS,
    "protocolVersion": st.sampled_from(["1.3.0", None]),
    "spatialLayer": st.just(1),
    "temporalLayer": st.just(1),
    "sendStreamId": st.just(1),
    "recvStreamId": st.just(2),
    "action": st.just("a"),
    "reason": st.sampled_from(["why", None]),
    "time": st.integers(0, 9),
}
GOOD_MESSAGES = st.fixed_dictionaries({"type": st.sampled_from(sorted(SHAPES)), **GOOD_FIELDS}).map(orjson.dumps)
ODD_MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from([*sorted(SHAPES), "dance"])}, optional=dict.fromkeys(GOOD_FIELDS, JSON)
).map(orjson.dumps)
GARBAGE = st.one_of(st.binary(max_size=40), JSON.map(orjson.dumps), st.just(b"[" * 5000))

Key = tuple[str, int]


class SwitchboardMachine(RuleBasedStateMachine):
    """Peers connect, send and disconnect in any order; a model tracks the expected state."""

    @initialize(legacy=st.booleans(), limit=st.integers(0, 2))
    def begin(self, legacy: bool, limit: int) -> None:
        self.switchboard: Switchboard[Key] = Switchboard(
            Rules(legacy_streamers=legacy, max_players_per_streamer=limit, max_bad_messages=5)
        )
        self.legacy = legacy
        self.now = 0.0
        self.number = 0
        self.alive: list[Key] = []
        self.player_ids: dict[Key, str] = {}
        self.connected: set[tuple[Key, str]] = set()
        """Source and player id of each `playerConnected` that still waits for its `playerDisconnected`."""

    def _new(self, role: Role) -> Key:
        self.number += 1
        key = (role.value, self.number)
        self.alive.append(key)
        return key

    def _take_in(self, key: Key, outputs: list[Output[Key]]) -> None:
        peer = self.switchboard.peer(key)
        assert peer is not None
        if peer.subscriber is not None:
            assert peer.subscriber.player_id not in self.player_ids.values()
            self.player_ids[key] = peer.subscriber.player_id
        first = outputs[0]
        assert isinstance(first, Send)
        assert (first.to, first.kind) == (key, "config")
        self._check(None, outputs)

    def _check(self, sender: Key | None, outputs: list[Output[Key]]) -> None:
        for output in outputs:
            if isinstance(output, Close):
                assert output.to in self.alive
                self._gone(output.to)
            if isinstance(output, Probe):
                assert output.to in self.alive
            if not isinstance(output, Send):
                continue
            assert output.to in self.alive, "a message for a peer that is gone"
            message = orjson.loads(output.data)
            if output.kind == "playerConnected":
                assert (output.to, message["playerId"]) not in self.connected
                self.connected.add((output.to, message["playerId"]))
            elif output.kind == "playerDisconnected" and not self._is_legacy(output.to):
                assert (output.to, message["playerId"]) in self.connected
                self.connected.discard((output.to, message["playerId"]))
            elif sender is not None and output.to != sender and output.kind in ("offer", "answer", "iceCandidate"):
                self._check_relayed(sender, output.to, message)

    def _check_relayed(self, sender: Key, to: Key, message: dict[str, Any]) -> None:
        """A relayed message goes between two peers of which one is subscribed to the other."""
        ends = [self.switchboard.peer(sender), self.switchboard.peer(to)]
        pairs = [(a, b) for a, b in (ends, ends[::-1]) if a and b and a.subscriber and b.source]
        assert any(a.subscriber and a.subscriber.subscribed_to is b.source for a, b in pairs)
        if sender[0] == Role.PLAYER.value:
            assert message["playerId"] == self.player_ids[sender]

    def _is_legacy(self, key: Key) -> bool:
        """A 4.27 streamer never receives `playerConnected`."""
        return self.legacy and key[0] == Role.STREAMER.value

    def _gone(self, key: Key) -> None:
        self.alive.remove(key)
        self.player_ids.pop(key, None)
        self.connected = {(source, player) for source, player in self.connected if source != key}
        assert self.switchboard.peer(key) is None

    @rule(identity=st.sampled_from(["", "10.0.0.7"]))
    def streamer_connects(self, identity: str) -> None:
        key = self._new(Role.STREAMER)
        self._take_in(key, self.switchboard.streamer_connected(key, self.now, CONFIG, identity=identity))

    @rule(leased=st.booleans(), offers=st.booleans(), subscribes=st.booleans())
    def player_connects(self, leased: bool, offers: bool, subscribes: bool) -> None:
        key = self._new(Role.PLAYER)
        admission = Admission("session", "cam", "game") if leased else None
        connected = self.switchboard.player_connected
        outputs = connected(key, self.now, CONFIG, admission=admission, offers=offers, subscribes=subscribes)
        self._take_in(key, outputs)

    @rule()
    def sfu_connects(self) -> None:
        key = self._new(Role.SFU)
        self._take_in(key, self.switchboard.sfu_connected(key, self.now, CONFIG))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), message=st.one_of(GOOD_MESSAGES, GOOD_MESSAGES, ODD_MESSAGES, GARBAGE))
    def peer_speaks(self, data: st.DataObject, message: bytes) -> None:
        key = data.draw(st.sampled_from(self.alive))
        self._check(key, self.switchboard.received(key, message, self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def peer_answers_a_ping(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.alive))
        self._check(key, self.switchboard.answered(key, self.now))

    def _of(self, data: st.DataObject, *roles: Role) -> Key | None:
        keys = [key for key in self.alive if key[0] in {role.value for role in roles}]
        return data.draw(st.sampled_from(keys)) if keys else None

    def _say(self, key: Key, kind: str, **fields: object) -> None:
        message = orjson.dumps({"type": kind, **fields})
        self._check(key, self.switchboard.received(key, message, self.now))

    # Random steps seldom make a whole conversation, so its usual steps are rules of their own.

    @rule(data=st.data(), name=NAMES, version=st.sampled_from(["1.3.0", None]))
    def source_identifies(self, data: st.DataObject, name: str, version: str | None) -> None:
        if key := self._of(data, Role.STREAMER, Role.SFU):
            self._say(key, "endpointId", id=name, protocolVersion=version)
            if key[0] == Role.SFU.value and key in self.alive:
                self._say(key, "startStreaming")

    @rule(data=st.data())
    def subscriber_subscribes(self, data: st.DataObject) -> None:
        names = [source.endpoint_id for source in self.switchboard.sources()]
        key = self._of(data, Role.PLAYER, Role.SFU)
        if key and names:
            self._say(key, "subscribe", streamerId=data.draw(st.sampled_from([*names, "game"])))

    @rule(data=st.data(), kind=st.sampled_from(["offer", "answer", "iceCandidate"]), sdp=SDPS)
    def subscriber_negotiates(self, data: st.DataObject, kind: str, sdp: str) -> None:
        if key := self._of(data, Role.PLAYER, Role.SFU):
            self._say(key, kind, sdp=sdp, candidate={"candidate": "c"}, playerId="999")

    @rule(data=st.data(), kind=st.sampled_from(["offer", "answer", "iceCandidate", "disconnectPlayer"]), sdp=SDPS)
    def source_negotiates(self, data: st.DataObject, kind: str, sdp: str) -> None:
        key = self._of(data, Role.STREAMER, Role.SFU)
        if key and self.player_ids:
            player_id = data.draw(st.sampled_from(sorted(self.player_ids.values())))
            self._say(key, kind, sdp=sdp, candidate={"candidate": "c"}, playerId=player_id)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), reason=st.sampled_from(["", "Unsupported message `endpointIdConfirm` received from SS"]))
    def peer_leaves(self, data: st.DataObject, reason: str) -> None:
        key = data.draw(st.sampled_from(self.alive))
        outputs = self.switchboard.left(key, reason)
        self._gone(key)
        self._check(None, outputs)

    @rule(seconds=st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._check(None, self.switchboard.tick(self.now))

    @invariant()
    def ids_are_unique_and_lists_agree(self) -> None:
        sources = self.switchboard.sources()
        ids = [source.endpoint_id for source in sources]
        assert len(set(ids)) == len(ids)
        assert len(self.switchboard) == len(self.alive)
        assert all(source.peer.key in self.alive for source in sources)

    @invariant()
    def the_books_balance(self) -> None:
        """Every `playerConnected` without a `playerDisconnected` is a subscription that exists."""
        subscriptions = {
            (source.peer.key, player_id)
            for key in self.alive
            if (peer := self.switchboard.peer(key)) and (source := peer.source) and not self._is_legacy(key)
            for player_id in source.subscribers
        }
        assert subscriptions == self.connected

    def teardown(self) -> None:
        for key in list(self.alive):
            if key in self.alive:
                outputs = self.switchboard.left(key)
                self._gone(key)
                self._check(None, outputs)
        assert len(self.switchboard) == 0
        assert self.switchboard.sources() == []


TestSwitchboardMachine = SwitchboardMachine.TestCase
TestSwitchboardMachine.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
