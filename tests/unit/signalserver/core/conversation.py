"""A driver of a switchboard for tests, which records the outputs."""

import itertools
from typing import Any

import orjson

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from signalserver.core.outputs import (
    Call,
    Close,
    InputOffered,
    InviteRequested,
    LimitReached,
    MessageDropped,
    MessageRefused,
    MessageWithheld,
    Output,
    PersonRemoved,
    Probe,
    Send,
    SourceNamed,
    VideoFailed,
)
from signalserver.core.roster import Admission, Subscriber
from signalserver.core.session_time import Limit
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard

Message = dict[str, Any]

CONFIG = orjson.dumps({"type": "config", "peerConnectionOptions": {}, "protocolVersion": "1.3.0"})
SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


class Conversation:
    """A switchboard whose peers are named by strings; a closed peer leaves at once, as sockets do."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.switchboard: Switchboard[str] = Switchboard(rules or Rules())
        self.now = 0.0
        self.received: dict[str, list[Message]] = {}
        self.closed: dict[str, tuple[CloseCode, str]] = {}
        self.drops: list[MessageDropped[str]] = []
        self.calls: list[Call[str]] = []
        self.named: list[tuple[str, str, str]] = []
        self.probes: list[str] = []
        self.withheld: list[MessageWithheld[str]] = []
        self.refusals: list[MessageRefused] = []
        self.failures: list[tuple[str, str, tuple[str, ...]]] = []
        self.limits: list[tuple[str, Limit]] = []
        self.invites: list[InviteRequested[str]] = []
        self.offered_input: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)

    def _key(self, key: str) -> str:
        self.received[key] = []
        return key

    def _do(self, outputs: list[Output[str]]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                assert output.to not in self.closed, "a message for a peer that was closed"
                message = orjson.loads(output.data)
                assert message["type"] == output.kind
                self.received[output.to].append(message)
            elif isinstance(output, Close):
                self.closed[output.to] = (output.why, output.reason)
                self._do(self.switchboard.left(output.to))
            elif isinstance(output, SourceNamed):
                self.named.append((output.source, output.endpoint_id, output.wanted))
            elif isinstance(output, MessageDropped):
                self.drops.append(output)
            elif isinstance(output, Probe):
                self.probes.append(output.to)
            elif isinstance(output, MessageWithheld):
                self.withheld.append(output)
            elif isinstance(output, MessageRefused):
                self.refusals.append(output)
            elif isinstance(output, VideoFailed):
                self.failures.append((output.player, output.reason, output.codecs))
            elif isinstance(output, LimitReached):
                self.limits.append((output.player, output.limit))
            elif isinstance(output, InviteRequested):
                self.invites.append(output)
            elif isinstance(output, InputOffered):
                self.offered_input.append((output.player, output.streamer))
            elif isinstance(output, PersonRemoved):
                self.disconnect(output.person, close_codes.KICKED)
            elif isinstance(output, Call):
                self.calls.append(output)

    # -- peers --------------------------------------------------------------------------------------

    def streamer(
        self,
        key: str,
        name: str | None = None,
        *,
        version: str | None = "1.3.0",
        identity: str = "",
        address: str = "",
    ) -> str:
        """Connect a streamer and, with a name, identify it; discard the messages that it got so far."""
        connected = self.switchboard.streamer_connected
        self._do(connected(self._key(key), self.now, CONFIG, identity=identity, address=address))
        if name is not None:
            self.send(key, "endpointId", id=name, **({"protocolVersion": version} if version else {}))
            self.receive(key)
        return key

    def player(self, key: str, *, admission: Admission | None = None, offers: bool = False, pings: bool = False) -> str:
        connected = self.switchboard.player_connected
        self._do(connected(self._key(key), self.now, CONFIG, admission=admission, offers=offers, pings=pings))
        self.receive(key)
        return key

    def arrive_subscribing(self, key: str, *, admission: Admission | None = None, offers: bool = False) -> None:
        """Connect a player that asks to be subscribed on its arrival; discard its `config`."""
        connected = self.switchboard.player_connected
        self._do(connected(self._key(key), self.now, CONFIG, admission=admission, offers=offers, subscribes=True))
        assert self.received[key].pop(0) == orjson.loads(CONFIG)

    def page(self, key: str, admission: Admission, former: Subscriber[str] | None = None) -> Subscriber[str]:
        """Connect a page that knows limits, in the session of a player that has left; return the player."""
        self.arrive(key, admission, former)
        peer = self.switchboard.peer(key)
        assert peer is not None
        assert peer.subscriber is not None
        return peer.subscriber

    def arrive(self, key: str, admission: Admission, former: Subscriber[str] | None = None) -> None:
        """Connect such a page, which may be closed at once."""
        connected = self.switchboard.player_connected
        outputs = connected(
            self._key(key), self.now, CONFIG, admission=admission, pings=True, former=former, hears_limits=True
        )
        self._do(outputs)

    def sfu(self, key: str, name: str | None = None) -> str:
        self._do(self.switchboard.sfu_connected(self._key(key), self.now, CONFIG))
        if name is not None:
            self.send(key, "endpointId", id=name, protocolVersion="1.3.0")
            self.receive(key)
        return key

    def subscribed(self, key: str, streamer_id: str) -> str:
        """Connect a player, subscribe it, and return its player id."""
        self.player(key)
        self.send(key, "subscribe", streamerId=streamer_id)
        subscriber = next(s for s in self.switchboard.players() if s.peer.key == key)
        assert subscriber.subscribed_to is not None
        return subscriber.player_id

    # -- what happens -------------------------------------------------------------------------------

    def send(self, key: str, kind: str, **fields: object) -> None:
        self.send_raw(key, orjson.dumps({"type": kind, **fields}))

    def send_raw(self, key: str, data: bytes) -> None:
        self._do(self.switchboard.received(key, data, self.now))

    def leave(self, key: str, reason: str = "", *, continues: bool = False) -> None:
        self._do(self.switchboard.left(key, reason, continues=continues))

    def away(self, key: str, seconds: float) -> None:
        self._do(self.switchboard.away(key, self.now, seconds))

    def resumed(self, key: str, address: str = "") -> None:
        self._do(self.switchboard.resumed(key, self.now, address))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self._do(self.switchboard.tick(self.now))

    def extend(self, key: str, seconds: float) -> None:
        self._do(self.switchboard.extend(key, self.now, seconds))

    def answer(self, key: str) -> None:
        """Answer a ping of the server."""
        self._do(self.switchboard.answered(key, self.now))

    def disconnect(self, key: str, why: CloseCode, reason: str | None = None) -> None:
        self._do(self.switchboard.disconnect(key, why, reason))

    # -- what came of it ----------------------------------------------------------------------------

    def receive(self, key: str) -> list[Message]:
        """Return the messages to a peer since the last call."""
        received, self.received[key] = self.received[key], []
        return received

    def receive_one(self, key: str) -> Message:
        received = self.receive(key)
        assert len(received) == 1, received
        return received[0]

    def kinds(self, key: str) -> list[str]:
        return [message["type"] for message in self.receive(key)]
