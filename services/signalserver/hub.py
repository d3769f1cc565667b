"""Joins the switchboard to its sockets: what comes in is put to it, what it asks for is carried out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.websocket import WebSocket
from pixelfleet.wire.close_codes import CloseCode
from signalserver.metrics import Metrics
from signalserver.outputs import Call, Close, Drop, Listed, Output, Send
from signalserver.roster import Role
from signalserver.switchboard import Switchboard

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Link:
    """One peer's socket, as the switchboard's handler."""

    hub: "Hub"
    socket: WebSocket
    role: Role
    peer_id: str
    session_id: str | None = None

    def message(self, data: bytes) -> None:
        """Put one message to the switchboard."""
        self.hub.carry_out(self.hub.switchboard.received(self.socket, data))

    def closed(self, code: int, reason: str) -> None:
        """Tell the switchboard that the peer is gone."""
        self.hub.ended(self, code, reason)


class Hub:
    """All sockets of one signalling server."""

    def __init__(self, switchboard: Switchboard[WebSocket], metrics: Metrics, heartbeat: Heartbeat) -> None:
        self.switchboard = switchboard
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._links: dict[WebSocket, Link] = {}
        self._listed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def changed(self) -> asyncio.Event:
        """Set whenever streamers or sessions changed; who waits for it clears it."""
        return self._listed

    def links(self, role: Role) -> list[Link]:
        """Return the open connections of one role."""
        return [link for link in self._links.values() if link.role is role]

    def begin(
        self, socket: WebSocket, role: Role, address: str, admit: Callable[[float], list[Output[WebSocket]]]
    ) -> Link:
        """Take in a new socket; `admit` puts it to the switchboard at the time that it is given."""
        link = Link(self, socket, role, peer_id=address)
        self._links[socket] = link
        self._heartbeat.add(socket)
        outputs = admit(self._loop.time())
        peer = self.switchboard.peer(socket)
        if peer is not None and peer.subscriber is not None:
            link.peer_id = peer.subscriber.player_id
            if peer.subscriber.admission is not None:
                link.session_id = peer.subscriber.admission.session_id
        log.info("peer connected", role=role.value, peer=link.peer_id, session=link.session_id, address=address)
        self.carry_out(outputs)
        return link

    def ended(self, link: Link, code: int, reason: str) -> None:
        """A socket is gone."""
        self._links.pop(link.socket, None)
        self._metrics.closed(link.role, code)
        log.info(
            "peer left", role=link.role.value, peer=link.peer_id, session=link.session_id, code=code, reason=reason
        )
        self.carry_out(self.switchboard.left(link.socket))

    def carry_out(self, outputs: list[Output[WebSocket]]) -> None:
        """Do what the switchboard asks for, in its order."""
        for output in outputs:
            if type(output) is Send:
                output.to.send(output.data)
            elif type(output) is Listed:
                self._on_listed()
            elif type(output) is Close:
                output.to.close(output.why, output.reason)
            elif type(output) is Drop:
                self._on_drop(output)
            elif type(output) is Call:
                self._on_call(output)

    def close_all(self, why: CloseCode) -> None:
        """Close every socket."""
        for link in list(self._links.values()):
            self.carry_out(self.switchboard.disconnect(link.socket, why))

    async def run(self) -> None:
        """Let the switchboard see the time pass, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.carry_out(self.switchboard.tick(self._loop.time()))

    def _on_listed(self) -> None:
        self._listed.set()
        metrics, switchboard = self._metrics, self.switchboard
        listed = switchboard.streamers()
        players = len(switchboard.players())
        metrics.players.set(players)
        metrics.stream_players.set(players)
        metrics.streamers.set(len(self.links(Role.STREAMER)))
        metrics.streamer_open.set(1 if listed else 0)
        metrics.free.set(1 if any(not source.subscribers for source in listed) else 0)

    def _on_drop(self, drop: Drop[WebSocket]) -> None:
        link = self._links.get(drop.sender)
        if link is None:
            return
        self._metrics.dropped.labels(link.role.value, drop.kind).inc()
        log.warning("message dropped", role=link.role.value, peer=link.peer_id, type=drop.kind, why=drop.why)

    def _on_call(self, call: Call[WebSocket]) -> None:
        log.warning("control is not configured", action=call.action[:64])
