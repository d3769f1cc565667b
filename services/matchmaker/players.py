"""A player at the matchmaker: waits in the queue, is joined to its streamer, and leaves."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener

from matchmaker import messages
from matchmaker.broker import Broker
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import Lease, StreamerReport, Ticket
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.fleet.tokens import SessionToken, sign
from pixelfleet.runtime.dial import DialError, dial
from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.http import query_of, refusal
from pixelfleet.runtime.relay import Relay
from pixelfleet.runtime.service import Tasks
from pixelfleet.runtime.websocket import MessageHandler, WebSocket
from pixelfleet.wire import close_codes

log = structlog.get_logger(__name__)

PASSED_ON = ("OfferToReceive",)
"""Query parameters of the player's that mean something to its signalling server."""

RETRY_SECONDS = 1.0
"""How long a player whose streamer could not be reached waits before it is in the queue again."""


class Players:
    """The players of one replica."""

    def __init__(
        self, broker: Broker, settings: Settings, replica_id: str, tasks: Tasks, heartbeat: Heartbeat, metrics: Metrics
    ) -> None:
        self.broker = broker
        self.settings = settings
        self.tasks = tasks
        self.metrics = metrics
        self._replica_id = replica_id
        self._heartbeat = heartbeat
        self._open: dict[str, Player] = {}
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()

    def __len__(self) -> int:
        return len(self._open)

    def upgrade(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        """Take a player, or refuse it when the queue is full."""
        if self.broker.waiting >= self.settings.max_queue:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the queue is full")
        query = query_of(request.path.decode("utf-8", "replace"))

        def opened(socket: WebSocket) -> MessageHandler:
            ticket = Ticket(
                session_id=uuid.uuid4().hex,
                replica_id=self._replica_id,
                app=query.get("app") or self.settings.app,
                streamer=query.get("id", ""),
            )
            player = Player(self, socket, ticket, {name: query[name] for name in PASSED_ON if name in query})
            self._open[ticket.session_id] = player
            self._heartbeat.add(socket)
            self.metrics.players.set(len(self._open))
            return player.begin()

        return WebSocket(self.bounds, opened)

    def forget(self, player: "Player") -> None:
        """A player's socket is gone."""
        self._open.pop(player.ticket.session_id, None)
        self.metrics.players.set(len(self._open))

    def close_all(self) -> None:
        """Send everyone away, to come back at once: another replica may have them."""
        for player in list(self._open.values()):
            player.socket.close(close_codes.RESTARTING)


@dataclass(slots=True, eq=False)
class Player:
    """One player's socket, from its arrival to its end."""

    players: Players
    socket: WebSocket
    ticket: Ticket
    passed_on: dict[str, str]
    position: int = 0
    relay: Relay = field(init=False)
    cancel_dial: Callable[[], object] | None = None

    def begin(self) -> MessageHandler:
        """Say hello and join the queue."""
        self.relay = Relay(self.socket, on_end=self._ended)
        self.socket.send(messages.queued("Waiting for a free streamer"))
        self.players.tasks.spawn(self._join())
        log.info("player waits", session=self.ticket.session_id, app=self.ticket.app)
        return self

    # -- the player's socket ------------------------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Pass a message on; while there is nobody to pass it to, answer pings and keep the rest."""
        if self.relay.up is None and (pong := messages.pong_for(data)) is not None:
            self.socket.send(pong)
        else:
            self.relay.message(data)

    def closed(self, code: int, reason: str) -> None:
        """The player is gone."""
        self.relay.closed(code, reason)

    # -- the broker ---------------------------------------------------------------------------------

    def moved(self, position: int) -> None:
        """Tell the player its place, when that has changed."""
        if position != self.position:
            self.position = position
            self.socket.send(messages.queued("Waiting for a free streamer", position=position))

    def matched(self, lease: Lease) -> None:
        """Dial the streamer's signalling server."""
        self.position = 0
        self.cancel_dial = self.players.tasks.spawn(self._dial(lease.streamer))

    # -- inside -------------------------------------------------------------------------------------

    async def _join(self) -> None:
        try:
            await self.players.broker.join(self)
        except StoreUnavailableError:
            self.socket.close(close_codes.SERVICE_UNAVAILABLE)

    async def _dial(self, streamer: StreamerReport) -> None:
        self.socket.send(messages.matched(streamer))
        try:
            await dial(self._url(streamer), self.relay.join, self.players.upstream_bounds)
        except DialError as error:
            log.warning(
                "streamer cannot be reached", session=self.ticket.session_id, streamer=streamer.key, why=str(error)
            )
            self.socket.send(messages.queued("The streamer cannot be reached; waiting for another"))
            await asyncio.sleep(RETRY_SECONDS)
            await self.players.broker.give_back(self)
        else:
            log.info("player joined its streamer", session=self.ticket.session_id, streamer=streamer.key)

    def _url(self, streamer: StreamerReport) -> str:
        query = {"player": self.ticket.session_id, **self.passed_on}
        key = self.players.settings.session_key
        if key is not None:
            token = SessionToken(self.ticket.session_id, streamer.server_id, streamer.endpoint_id, streamer.app)
            query["session"] = sign(token, key.get_secret_value())
        return f"{streamer.url}/?{urlencode(query)}"

    def _ended(self, code: int, reason: str) -> None:
        if self.cancel_dial is not None:
            self.cancel_dial()
        self.players.forget(self)
        self.players.tasks.spawn(self.players.broker.leave(self.ticket.session_id))
        log.info("player left", session=self.ticket.session_id, code=code, reason=reason)
