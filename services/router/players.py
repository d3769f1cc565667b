"""Players at the door: each is passed on to a matchmaker, message by message."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener

from pixelfleet.runtime.dial import DialError, dial
from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.http import refusal
from pixelfleet.runtime.relay import Relay
from pixelfleet.runtime.service import Tasks
from pixelfleet.runtime.websocket import MessageHandler, WebSocket
from pixelfleet.wire import close_codes
from router.settings import Settings

log = structlog.get_logger(__name__)


class Players:
    """The players that are connected through this router."""

    def __init__(self, settings: Settings, tasks: Tasks, heartbeat: Heartbeat) -> None:
        self.settings = settings
        self.tasks = tasks
        self._heartbeat = heartbeat
        self._open: set[Player] = set()
        self._turn = 0
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()

    def __len__(self) -> int:
        return len(self._open)

    def upgrade(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        """Take a player."""
        if self.settings.max_players and len(self._open) >= self.settings.max_players:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no room for another player")
        query = request.path.decode("latin-1").partition("?")[2]

        def opened(socket: WebSocket) -> MessageHandler:
            player = Player(self, socket, query)
            self._open.add(player)
            self._heartbeat.add(socket)
            return player.begin()

        return WebSocket(self.bounds, opened)

    def matchmakers(self) -> list[str]:
        """Return the matchmakers, starting with the one whose turn it is."""
        urls = self.settings.matchmaker
        self._turn = (self._turn + 1) % len(urls)
        return [url.rstrip("/") for url in (*urls[self._turn :], *urls[: self._turn])]

    def forget(self, player: "Player") -> None:
        """A player's socket is gone."""
        self._open.discard(player)

    def close_all(self) -> None:
        """Send everyone away, to come back at once."""
        for player in list(self._open):
            player.socket.close(close_codes.RESTARTING)


@dataclass(slots=True, eq=False)
class Player:
    """One player's way through the door."""

    players: Players
    socket: WebSocket
    query: str
    relay: Relay = field(init=False)
    cancel_dial: Callable[[], object] | None = None

    def begin(self) -> MessageHandler:
        """Find a matchmaker."""
        self.relay = Relay(self.socket, on_end=self._ended)
        self.cancel_dial = self.players.tasks.spawn(self._dial())
        return self.relay

    async def _dial(self) -> None:
        suffix = f"/?{self.query}" if self.query else "/"
        for url in self.players.matchmakers():
            try:
                await dial(url + suffix, self.relay.join, self.players.upstream_bounds)
            except DialError as error:
                log.warning("matchmaker cannot be reached", url=url, why=str(error))
            else:
                return
        self.socket.close(close_codes.SERVICE_UNAVAILABLE)

    def _ended(self, code: int, reason: str) -> None:
        if self.cancel_dial is not None:
            self.cancel_dial()
        self.players.forget(self)
