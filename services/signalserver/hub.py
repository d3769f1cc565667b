"""Joins the switchboard to its sockets: what comes in is put to it, what it asks for is carried out."""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog

from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.messages import Message, dump
from signalserver.application.watch import ApplicationWatch
from signalserver.core.outputs import Call, Close, Drop, FirstFrame, Listed, Named, Output, Path, Send
from signalserver.core.roster import Role
from signalserver.core.sessions import Sessions
from signalserver.core.switchboard import Switchboard
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)

TICK_SECONDS: Final = 1.0

RELAYED: Final = frozenset({"offer", "answer", "iceCandidate"})
"""The messages whose way through the server is timed."""


@dataclass(slots=True, eq=False)
class PeerConnection:
    """One peer's socket, as the switchboard's handler."""

    hub: "Hub"
    socket: WebSocket
    role: Role
    address: str
    peer_id: str = ""
    """A player's id, or a streamer's once it has one: what the log calls the peer."""
    session_id: str | None = None
    spectator: bool = False

    def message(self, data: bytes) -> None:
        """Put one message to the switchboard."""
        self.hub.received(self, data)

    def closed(self, code: int, reason: str) -> None:
        """Tell the switchboard that the peer is gone."""
        self.hub.ended(self, code, reason)


OnCall = Callable[[PeerConnection, Call[WebSocket]], None]
"""Carries out a player's call to the application."""


def _refuse_call(connection: PeerConnection, call: Call[WebSocket]) -> None:
    error = "control is not configured here"
    connection.hub.say(connection, {"type": "response", "action": call.action[:256], "error": error})


class Hub:
    """All sockets of one signalling server."""

    def __init__(
        self,
        switchboard: Switchboard[WebSocket],
        metrics: Metrics,
        heartbeat: Heartbeat,
        watch: ApplicationWatch,
        sessions: Sessions[WebSocket],
        on_call: OnCall | None = None,
    ) -> None:
        """`on_call` carries out players' calls to the application; without it they are refused."""
        self.switchboard = switchboard
        self.sessions = sessions
        self._watch = watch
        self._on_call = on_call or _refuse_call
        self._metrics = metrics
        self._tallies = metrics.messages
        self._heartbeat = heartbeat
        self._connections: dict[WebSocket, PeerConnection] = {}
        self._counts: Tally[Role] = Tally()
        self._watches: list[asyncio.Event] = []
        self._withdrawn = False
        self.left = asyncio.Event()
        """Set whenever a peer has left; the task that waits for it clears it."""

    def count(self, role: Role) -> int:
        """Return how many peers of a role are connected."""
        return self._counts[role]

    def watch(self) -> asyncio.Event:
        """Return an event that is set whenever streamers or sessions change; who waits for it clears it."""
        event = asyncio.Event()
        self._watches.append(event)
        return event

    def announce(self) -> None:
        """Wake who watches."""
        for event in self._watches:
            event.set()

    def withdraw(self) -> None:
        """Have no streamer free for players any more: the server is on its way out."""
        self._withdrawn = True
        self._on_listed()

    def connections(self, role: Role) -> list[PeerConnection]:
        """Return the open connections of one role."""
        return [connection for connection in self._connections.values() if connection.role is role]

    def begin(
        self, socket: WebSocket, role: Role, address: str, admit: Callable[[float], list[Output[WebSocket]]]
    ) -> PeerConnection:
        """Take in a new socket; `admit` puts it to the switchboard at the time that it is given."""
        connection = PeerConnection(self, socket, role, address)
        self._connections[socket] = connection
        self._counts[role] += 1
        self._heartbeat.add(socket)
        outputs = admit(perf_counter())
        peer = self.switchboard.peer(socket)
        if peer is not None and peer.subscriber is not None:
            connection.peer_id = peer.subscriber.player_id
            if peer.subscriber.admission is not None:
                connection.session_id = peer.subscriber.admission.session_id
                connection.spectator = peer.subscriber.admission.spectator
        log.info(
            "peer connected", role=role.value, peer=connection.peer_id, session=connection.session_id, address=address
        )
        self.carry_out(outputs)
        self._show_counts()
        return connection

    def received(self, connection: PeerConnection, data: bytes) -> None:
        """Put a message to the switchboard and carry out what comes of it."""
        arrived = perf_counter()
        outputs = self.switchboard.received(connection.socket, data, arrived)
        kind = self.switchboard.last_kind
        self._tallies.received[connection.role.value, kind] += 1
        if len(outputs) == 1 and type(send := outputs[0]) is Send:
            # Nearly every message is one that goes to one peer.
            send.to.send(send.data)
            self._tallies.sent[send.kind] += 1
            if kind in RELAYED:
                self._tallies.relayed(perf_counter() - arrived)
        else:
            self.carry_out(outputs)

    def ended(self, connection: PeerConnection, code: int, reason: str) -> None:
        """A socket is gone."""
        self._connections.pop(connection.socket, None)
        self._counts[connection.role] -= 1
        self.left.set()
        self._metrics.closed(connection.role, code)
        log.info(
            "peer left",
            role=connection.role.value,
            peer=connection.peer_id,
            session=connection.session_id,
            code=code,
            reason=reason,
        )
        self.carry_out(self.switchboard.left(connection.socket))
        self._show_counts()

    def carry_out(self, outputs: list[Output[WebSocket]]) -> None:
        """Do what the switchboard asks for, in its order."""
        for output in outputs:
            if type(output) is Send:
                output.to.send(output.data)
                self._tallies.sent[output.kind] += 1
            elif type(output) is Listed:
                self._on_listed()
            elif type(output) is Close:
                output.to.close(output.why, output.reason)
            elif type(output) is Named:
                self._on_named(output)
            elif type(output) is Drop:
                self._on_drop(output)
            elif type(output) is Path:
                self._on_path(output)
            elif type(output) is FirstFrame:
                self._on_first_frame(output)
            elif type(output) is Call:
                connection = self._connections.get(output.player)
                if connection is not None:
                    self._on_call(connection, output)

    def say(self, connection: PeerConnection, message: Message) -> None:
        """Send a peer a message of the server's own."""
        connection.socket.send(dump(message))
        self._tallies.sent[message["type"]] += 1

    def close(self, connection: PeerConnection, why: CloseCode, reason: str | None = None) -> None:
        """Close one peer, as from outside the protocol."""
        self.carry_out(self.switchboard.disconnect(connection.socket, why, reason))

    def kick(self, socket: WebSocket, reason: str) -> None:
        """Close a player that is not to come back."""
        connection = self._connections.get(socket)
        if connection is not None:
            # Epic's page comes back after any close code; after this message it stops and shows the text.
            self.say(connection, {"type": "subscribeFailed", "message": reason})
            self.close(connection, close_codes.KICKED, reason)

    def end_session(self, session_id: str) -> None:
        """Close the player of a session that an operator has ended."""
        for connection in self.connections(Role.PLAYER):
            if connection.session_id == session_id:
                self.say(connection, {"type": "subscribeFailed", "message": close_codes.SESSION_OVER.reason})
                self.close(connection, close_codes.SESSION_OVER)

    def close_all(self, why: CloseCode) -> None:
        """Close every socket."""
        for connection in list(self._connections.values()):
            self.close(connection, why)

    async def run(self) -> None:
        """Let the switchboard see the time pass, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = perf_counter()
            self.carry_out(self.switchboard.tick(now))
            self._look_after_application(now)

    def _look_after_application(self, now: float) -> None:
        before = self._watch.trouble
        streamers = len(self.switchboard.streamers())
        trouble = self._watch.look(now, streamers, self.switchboard.longest_unanswered(now))
        self._metrics.stuck.set(1 if trouble else 0)
        if trouble is not before:
            log.warning("the application is stuck", why=trouble) if trouble else log.info("the application is well")
            self.announce()

    def _show_counts(self) -> None:
        players = self._counts[Role.PLAYER]
        self._metrics.players.set(players)
        self._metrics.stream_players.set(players)
        self._metrics.streamers.set(self._counts[Role.STREAMER])

    def _on_listed(self) -> None:
        self.announce()
        listed = self.switchboard.streamers()
        self._metrics.streamer_open.set(1 if listed else 0)
        free = not self._withdrawn and any(not source.subscribers for source in listed)
        self._metrics.free.set(1 if free else 0)

    def _on_named(self, named: Named[WebSocket]) -> None:
        connection = self._connections.get(named.source)
        if connection is not None and connection.peer_id != named.endpoint_id:
            log.info("streamer named", role=connection.role.value, peer=named.endpoint_id, asked_for=named.wanted)
            connection.peer_id = named.endpoint_id

    def _on_path(self, path: Path[WebSocket]) -> None:
        connection = self._connections.get(path.player)
        if connection is not None:
            self._tallies.paths[path.kind] += 1
            log.info("way of the video", peer=connection.peer_id, session=connection.session_id, path=path.kind)

    def _on_first_frame(self, told: FirstFrame[WebSocket]) -> None:
        connection = self._connections.get(told.player)
        if connection is not None:
            self._metrics.first_frame(told.steps)
            steps = {step: round(seconds, 3) for step, seconds in told.steps.items()}
            log.info("first frame", peer=connection.peer_id, session=connection.session_id, **steps)

    def _on_drop(self, drop: Drop[WebSocket]) -> None:
        connection = self._connections.get(drop.sender)
        if connection is None:
            return
        self._tallies.dropped[connection.role.value, drop.kind] += 1
        # The first of a peer's is worth a line, and then each time that their number has doubled: a stranger who
        # sends nothing else must not fill the disk.
        if drop.nth & (drop.nth - 1) == 0:
            log.warning(
                "message dropped",
                role=connection.role.value,
                peer=connection.peer_id,
                session=connection.session_id,
                type=drop.kind,
                why=drop.why,
                count=drop.nth,
            )
