"""A hub whose sockets only remember."""

from dataclasses import dataclass, field

import orjson

from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.protocol.messages import Message
from signalserver.application.watch import ApplicationWatch
from signalserver.core.roster import Admission, Role
from signalserver.core.sessions import Sessions
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from signalserver.hub import Hub, OnCall, PeerConnection
from signalserver.metrics import Metrics
from tests.unit.pixelfleet.net.sockets import FakeSocket
from tests.unit.signalserver.core.conversation import CONFIG


@dataclass
class Wired:
    """A peer: its connection to the hub, and its socket."""

    hub: Hub
    connection: PeerConnection
    socket: FakeSocket

    def send(self, kind: str, **fields: object) -> None:
        self.connection.message(orjson.dumps({"type": kind, **fields}))

    def received(self) -> list[Message]:
        """Return what was sent to it so far."""
        return [orjson.loads(data) for data in self.socket.sent]

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.received()]

    def leave(self, code: int = 1000, reason: str = "") -> None:
        self.connection.closed(code, reason)


@dataclass
class Made:
    """A hub with all that it is made of."""

    hub: Hub
    metrics: Metrics
    watch: ApplicationWatch
    wired: list[Wired] = field(default_factory=list)

    def _wire(self, role: Role, admission: Admission | None = None, identity: str = "") -> Wired:
        socket = FakeSocket()
        switchboard = self.hub.switchboard
        connection = self.hub.begin(
            socket.real,
            role,
            "127.0.0.1",
            lambda now: (
                switchboard.player_connected(socket.real, now, CONFIG, admission=admission)
                if role is Role.PLAYER
                else switchboard.streamer_connected(socket.real, now, CONFIG, identity=identity)
            ),
        )
        wired = Wired(self.hub, connection, socket)
        self.wired.append(wired)
        return wired

    def player(self, admission: Admission | None = None) -> Wired:
        return self._wire(Role.PLAYER, admission)

    def streamer(self, name: str | None = None, *, identity: str = "") -> Wired:
        wired = self._wire(Role.STREAMER, identity=identity)
        if name is not None:
            wired.send("endpointId", id=name, protocolVersion="1.3.0")
        return wired

    def gauge(self, name: str) -> float | None:
        return self.metrics.registries.all.get_sample_value(name)


def make_hub(rules: Rules | None = None, *, capacity: int = 1, on_call: OnCall | None = None) -> Made:
    """Make a hub; needs a running event loop."""
    metrics = Metrics()
    watch = ApplicationWatch(0.0, 1e9, 1e9)
    hub = Hub(Switchboard(rules or Rules()), metrics, Heartbeat(20, 10), watch, Sessions(capacity), on_call)
    return Made(hub, metrics, watch)
