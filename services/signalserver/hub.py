"""The hub: passes messages from websockets to the switchboard, and executes the switchboard's outputs."""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog

from pixelfleet.fleet.records import OPERATOR, PLAYER
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.endings import Ending, ending_of
from pixelfleet.protocol.messages import Message, dump
from signalserver.application.watch import ApplicationWatch
from signalserver.core.naming import PROBE_SECONDS
from signalserver.core.outputs import (
    Call,
    Close,
    InviteRequested,
    Output,
    PersonRemoved,
    Probe,
    RosterChanged,
    Send,
    SourceNamed,
)
from signalserver.core.roster import Role
from signalserver.core.sessions import Sessions, direct_session
from signalserver.core.switchboard import Switchboard
from signalserver.journal import Journal
from signalserver.ledger import Ledger
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket

log = structlog.get_logger(__name__)

TICK_SECONDS: Final = 1.0
TIMER_MARGIN: Final = 0.01
"""Seconds that are added to a timer, because the loop's clock is coarser than the switchboard's."""

RELAYED: Final = frozenset({"offer", "answer", "iceCandidate"})
"""The types of messages whose processing time is measured."""


@dataclass(slots=True, eq=False)
class PeerConnection:
    """The connection of one peer, and the handler of its events unless the peer is a resumable player."""

    hub: "Hub"
    socket: PeerSocket
    role: Role
    address: str
    peer_id: str = ""
    """The peer's name in the log: a player's id, or a streamer's endpoint id once it has one."""
    session_id: str | None = None

    @property
    def session(self) -> str:
        """The name of a player's session in reports."""
        return self.session_id or direct_session(self.peer_id)

    def message(self, data: bytes) -> None:
        """Handle one message of the peer."""
        self.hub.received(self, data)

    def closed(self, code: int, reason: str) -> None:
        """Handle the end of the connection."""
        self.hub.ended(self, code, reason)


OnCall = Callable[[PeerConnection, Call[PeerSocket]], None]
"""Starts a player's call to the application."""


def _refuse_call(connection: PeerConnection, call: Call[PeerSocket]) -> None:
    error = "control is not configured here"
    connection.hub.send(connection, {"type": "response", "action": call.action[:256], "error": error})


OnInvite = Callable[[PeerConnection, InviteRequested[PeerSocket]], None]
"""Makes the invite that a host requests."""


def _refuse_invite(connection: PeerConnection, _: InviteRequested[PeerSocket]) -> None:
    connection.hub.send(connection, {"type": "invited", "error": "invites need --session-key"})


class Hub:
    """The connections of one signalling server."""

    def __init__(
        self,
        switchboard: Switchboard[PeerSocket],
        metrics: Metrics,
        heartbeat: Heartbeat,
        watch: ApplicationWatch,
        sessions: Sessions[PeerSocket],
        on_call: OnCall | None = None,
        on_invite: OnInvite | None = None,
    ) -> None:
        """Without `on_call`, players' calls to the application are refused; without `on_invite`, hosts' invites."""
        self.switchboard = switchboard
        self.sessions = sessions
        self._watch = watch
        self._on_call = on_call or _refuse_call
        self._on_invite = on_invite or _refuse_invite
        self._metrics = metrics
        self._tallies = metrics.messages
        self.ledger = Ledger()
        self._journal = Journal(metrics, self.ledger)
        self._heartbeat = heartbeat
        self._connections: dict[PeerSocket, PeerConnection] = {}
        self._counts: Tally[Role] = Tally()
        self._watches: list[asyncio.Event] = []
        self._withdrawn = False
        self.on_change: Callable[[], None] = lambda: None
        """Called when streamers, players or subscriptions have changed, before anything else happens."""
        self.left = asyncio.Event()
        """Set when a peer disconnects; the waiting task clears it."""

    def count(self, role: Role) -> int:
        """Return how many peers of a role are connected."""
        return self._counts[role]

    def watch(self) -> asyncio.Event:
        """Return a new event that is set when streamers, players or subscriptions change; the caller clears it."""
        event = asyncio.Event()
        self._watches.append(event)
        return event

    def announce(self) -> None:
        """Set the events of all watchers."""
        for event in self._watches:
            event.set()

    def withdraw(self) -> None:
        """Count no streamer as free from now on: the server drains."""
        self._withdrawn = True
        self._on_roster_changed()

    def connections(self, role: Role) -> list[PeerConnection]:
        """Return the open connections of one role."""
        return [connection for connection in self._connections.values() if connection.role is role]

    def begin(
        self, socket: PeerSocket, role: Role, address: str, admit: Callable[[float], list[Output[PeerSocket]]]
    ) -> PeerConnection:
        """Register a new peer; `admit` adds its peer to the switchboard at the given time."""
        connection = PeerConnection(self, socket, role, address)
        self._connections[socket] = connection
        self._counts[role] += 1
        outputs = admit(perf_counter())
        peer = self.switchboard.peer(socket)
        if peer is not None and peer.subscriber is not None:
            connection.peer_id = peer.subscriber.player_id
            if peer.subscriber.admission is not None:
                connection.session_id = peer.subscriber.admission.session_id
        if role is Role.PLAYER:
            self.ledger.begin(connection.session, perf_counter())
        log.info(
            "peer connected", role=role.value, peer=connection.peer_id, session=connection.session_id, address=address
        )
        self.execute(outputs)
        self._show_counts()
        return connection

    def keep_alive(self, socket: WebSocket) -> None:
        """Ping a websocket from now on, and close it when it does not answer."""
        self._heartbeat.add(socket)

    def received(self, connection: PeerConnection, data: bytes) -> None:
        """Pass a message to the switchboard and execute the outputs."""
        arrived = perf_counter()
        outputs = self.switchboard.received(connection.socket, data, arrived)
        kind = self.switchboard.last_kind
        self._tallies.received[connection.role.value, kind] += 1
        if len(outputs) == 1 and type(send := outputs[0]) is Send:
            # The fast path: nearly every message is relayed to one peer.
            send.to.send(send.data)
            self._tallies.sent[send.kind] += 1
            if kind in RELAYED:
                self._tallies.relayed(perf_counter() - arrived)
        else:
            self.execute(outputs)

    def ended(self, connection: PeerConnection, code: int, reason: str) -> None:
        """Remove a peer whose websocket ended."""
        self._metrics.closed(connection.role, code)
        self.forget(connection, code, reason)

    def forget(
        self,
        connection: PeerConnection,
        code: int,
        reason: str,
        *,
        left: Ending | None = None,
        continues: bool = False,
    ) -> None:
        """Remove a peer; with `continues`, another one continues its session at once.

        `left` is how the last connection of a player ended that has not returned.
        """
        self._connections.pop(connection.socket, None)
        self._counts[connection.role] -= 1
        self.left.set()
        log.info(
            "peer disconnected",
            role=connection.role.value,
            peer=connection.peer_id,
            session=connection.session_id,
            ending=ending_of(code).value,
            code=code,
            reason=reason,
        )
        if not continues and connection.role is Role.PLAYER:
            self.ledger.end(connection.session, perf_counter(), code, left)
        self.execute(self.switchboard.left(connection.socket, reason, continues=continues))
        self._show_counts()

    def execute(self, outputs: list[Output[PeerSocket]]) -> None:
        """Execute outputs of the switchboard in their order."""
        for output in outputs:
            if isinstance(output, Send):
                output.to.send(output.data)
                self._tallies.sent[output.kind] += 1
            elif isinstance(output, RosterChanged):
                self._on_roster_changed()
            elif isinstance(output, Close):
                self._close(output)
            elif isinstance(output, SourceNamed):
                self._on_named(output)
            elif isinstance(output, Probe):
                self._probe(output.to)
            elif isinstance(output, Call):
                connection = self._connections.get(output.player)
                if connection is not None:
                    self._on_call(connection, output)
            elif isinstance(output, InviteRequested):
                if (connection := self._connections.get(output.host)) is not None:
                    self._on_invite(connection, output)
            elif isinstance(output, PersonRemoved):
                self.kick(output.person, close_codes.KICKED.reason, by=PLAYER)
            else:
                self._journal.record(output, self._connections)

    def send(self, connection: PeerConnection, message: Message) -> None:
        """Send a peer a message that does not come from the switchboard."""
        connection.socket.send(dump(message))
        self._tallies.sent[message["type"]] += 1

    def close(self, connection: PeerConnection, why: CloseCode, reason: str | None = None) -> None:
        """Close one peer for a reason outside the protocol."""
        self.execute(self.switchboard.disconnect(connection.socket, why, reason))

    def kick(self, socket: PeerSocket, reason: str, *, by: str = OPERATOR) -> None:
        """Close a player so that it does not reconnect; its page shows the reason.

        `by` is who has removed it, for its record: an operator, or the host of its session, which is a player.
        """
        connection = self._connections.get(socket)
        if connection is not None:
            if connection.session_id is not None:
                self.sessions.refuse(connection.session_id, perf_counter())
            self.ledger.kicked(connection.session, by)
            # Epic's page reconnects after any close code; after this message it stops and shows the text.
            self.send(connection, {"type": "subscribeFailed", "message": reason})
            self.close(connection, close_codes.KICKED, reason)

    def extend(self, socket: PeerSocket, seconds: float) -> None:
        """Let the session of a player last longer by `seconds`, and let its time without input begin anew."""
        self.execute(self.switchboard.extend(socket, perf_counter(), seconds))

    def extend_session(self, session_id: str, seconds: float) -> None:
        """Extend a session by its id; nothing for an unknown one."""
        for connection in self.connections(Role.PLAYER):
            if session_id == connection.session:
                log.info("session extended", peer=connection.peer_id, session=session_id, seconds=seconds)
                self.extend(connection.socket, seconds)

    def end_session(self, session_id: str) -> None:
        """Close the player of a session that an operator ended, and refuse the session's token from now on."""
        self.sessions.refuse(session_id, perf_counter())
        for connection in self.connections(Role.PLAYER):
            if session_id == connection.session:
                self.kick(connection.socket, close_codes.KICKED.reason)

    def away_sessions(self) -> set[str]:
        """Return the ids of the sessions whose players are away."""
        players = self.connections(Role.PLAYER) if self.switchboard.away_count else []
        return {player.session for player in players if self.switchboard.is_away(player.socket)}

    def stop(self) -> None:
        """Close every peer: the server stops, which is why their sessions end."""
        self.ledger.end_all(perf_counter(), close_codes.RESTARTING.code)
        self.close_all(close_codes.RESTARTING)

    def close_all(self, why: CloseCode) -> None:
        """Close every peer."""
        for connection in list(self._connections.values()):
            self.close(connection, why)

    async def run(self) -> None:
        """Run the switchboard's timers and the application watch until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = perf_counter()
            self.execute(self.switchboard.tick(now))
            self._check_application(now)

    def _check_application(self, now: float) -> None:
        before = self._watch.trouble
        streamers = len(self.switchboard.streamers())
        trouble = self._watch.look(now, streamers, self.switchboard.longest_unanswered(now))
        self._metrics.application.stuck.set(1 if trouble else 0)
        if trouble is not before:
            log.warning("application stuck", why=trouble) if trouble else log.info("application recovered")
            self.announce()

    def _probe(self, socket: PeerSocket) -> None:
        """Ping a peer; the switchboard is notified of its pongs from now on, and when the time is over."""
        socket.on_pong = lambda: self.execute(self.switchboard.answered(socket, perf_counter()))
        socket.ping()
        loop = asyncio.get_running_loop()
        loop.call_later(PROBE_SECONDS + TIMER_MARGIN, lambda: self.execute(self.switchboard.tick(perf_counter())))

    def _close(self, output: Close[PeerSocket]) -> None:
        connection = self._connections.get(output.to)
        output.to.close(output.why, output.reason)
        if connection is not None and connection.role is Role.PLAYER:
            # The session is over although its connection may take a while to close.
            self.ledger.end(connection.session, perf_counter(), output.why.code)

    def _show_counts(self) -> None:
        players = self._counts[Role.PLAYER]
        self._metrics.players.set(players)
        self._metrics.stream_players.set(players)
        self._metrics.streamers.set(self._counts[Role.STREAMER])

    def _on_roster_changed(self) -> None:
        self.on_change()
        self.announce()
        listed = self.switchboard.streamers()
        self._metrics.streamer_open.set(1 if listed else 0)
        free = not self._withdrawn and any(not source.subscribers for source in listed)
        self._metrics.free.set(1 if free else 0)

    def _on_named(self, named: SourceNamed[PeerSocket]) -> None:
        connection = self._connections.get(named.source)
        if connection is not None and connection.peer_id != named.endpoint_id:
            log.info("streamer named", role=connection.role.value, peer=named.endpoint_id, asked_for=named.wanted)
            connection.peer_id = named.endpoint_id
