"""The switchboard alone, driven with bytes at full speed: no sockets, reproducible by the seed."""

from random import Random
from typing import Final

from pixelfleet.protocol import close_codes
from signalserver.core.outputs import Close, Output, Send
from signalserver.core.roster import Role
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from tests.fuzz.messages import Messages, World

CONFIG: Final = b'{"type":"config","peerConnectionOptions":{}}'
FORWARDED: Final = frozenset(
    {"answer", "dataChannelRequest", "iceCandidate", "layerPreference", "offer", "peerDataChannels"}
    | {"peerDataChannelsReady", "streamerDataChannels"}
)
MOST_PEERS: Final = 30
SECONDS_A_STEP: Final = 0.01


class Drive:
    """Peers connect, send and leave; after each step the outputs are checked against the subscriptions."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(f"{seed}/switchboard")
        rules = Rules(
            legacy_streamers=random.random() < 0.2,
            max_players_per_streamer=random.choice((0, 1, 3)),
            max_bad_messages=random.choice((3, 100)),
        )
        self.switchboard: Switchboard[int] = Switchboard(rules)
        self._legacy = rules.legacy_streamers
        """Whether streamers are of the legacy dialect, which has no `playerConnected`."""
        self._world = World()
        self._messages = {role: Messages(random, role.value, self._world) for role in Role}
        self._roles: dict[int, Role] = {}
        self._announced: set[tuple[int, str]] = set()
        """Pairs of a source and a player with a `playerConnected` and no `playerDisconnected` yet."""
        self._now = 0.0
        self._keys = 0

    def run(self, messages: int) -> None:
        """Process this many messages; raise AssertionError, or the switchboard's error, when anything is wrong."""
        sent = 0
        while sent < messages:
            self._now += SECONDS_A_STEP
            choice = self._random.random()
            if len(self._roles) < 3 or (choice < 0.01 and len(self._roles) < MOST_PEERS):
                self._connect()
            elif choice < 0.015:
                self._leave()
            elif choice < 0.02:
                self._check(None, self.switchboard.tick(self._now))
            else:
                sent += 1
                self._send()
        while self._roles:
            self._leave()
        assert len(self.switchboard) == 0
        assert self.switchboard.sources() == []
        assert not self._announced

    def _connect(self) -> None:
        self._keys += 1
        key, role, board = self._keys, self._random.choice((*Role, Role.PLAYER)), self.switchboard
        self._roles[key] = role
        if role is Role.PLAYER:
            outputs = board.player_connected(key, self._now, CONFIG, offers=self._random.random() < 0.2)
        else:
            connected = board.streamer_connected if role is Role.STREAMER else board.sfu_connected
            outputs = connected(key, self._now, CONFIG, identity=self._random.choice(("", "host")))
        self._check(key, outputs)

    def _leave(self) -> None:
        key = self._random.choice(list(self._roles))
        if self._random.random() < 0.3:
            self._check(key, self.switchboard.disconnect(key, close_codes.KICKED))
            assert key not in self._roles
        else:
            self._gone(key)
            self._check(None, self.switchboard.left(key))

    def _send(self) -> None:
        key = self._random.choice(list(self._roles))
        messages = self._messages[self._roles[key]]
        messages.subscribers = [player_id for source, player_id in self._announced if source == key]
        sources = {self._source_of(key)}
        outputs = self.switchboard.received(key, messages.any(), self._now)
        sources.add(self._source_of(key))
        for output in outputs:
            if isinstance(output, Send) and output.kind in FORWARDED:
                assert output.to in sources or self._source_of(output.to) == key, f"{output} is for a wrong peer"
        self._check(key, outputs)

    def _check(self, actor: int | None, outputs: list[Output[int]]) -> None:
        """Check that outputs are for connected peers, and that each player is announced to its source once."""
        for output in outputs:
            if isinstance(output, Send):
                assert output.to in self._roles, f"{output} is for a peer that has disconnected"
                assert len(output.data) < 1_000_000
                self._book(output)
            elif isinstance(output, Close) and output.to in self._roles:
                self._gone(output.to)
                assert self.switchboard.peer(output.to) is None
            elif isinstance(output, Close):
                raise AssertionError(f"{output}, at a step of {actor}, is for a peer that has disconnected")

    def _book(self, send: Send[int]) -> None:
        if send.kind not in ("playerConnected", "playerDisconnected"):
            return
        entry = (send.to, send.data.partition(b'"playerId":"')[2].partition(b'"')[0].decode())
        if send.kind == "playerConnected":
            assert entry not in self._announced, f"{entry} was announced twice"
            self._announced.add(entry)
            self._world.player_ids.append(entry[1])
        elif not self._legacy or self._roles[send.to] is not Role.STREAMER:
            self._announced.remove(entry)

    def _gone(self, key: int) -> None:
        del self._roles[key]
        self._announced = {entry for entry in self._announced if entry[0] != key}

    def _source_of(self, key: int) -> int | None:
        """Return the source to which a peer is subscribed."""
        peer = self.switchboard.peer(key)
        source = peer.subscriber.subscribed_to if peer is not None and peer.subscriber is not None else None
        return source.peer.key if source is not None else None
