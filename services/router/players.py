"""Players at the door: each is passed on to a matchmaker, message by message."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog
from aiohttp import web

from pixelfleet.auth.admission import accepted
from pixelfleet.auth.guard import Guard
from pixelfleet.auth.person import PLAYER_HEADER, cookie_player_id
from pixelfleet.net.access import origin_allowed
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.limits import Counts
from pixelfleet.net.relay import Relay
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import dump
from pixelfleet.service.lifecycle import Tasks
from router.caller import Caller, Callers
from router.settings import Settings
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Target

log = structlog.get_logger(__name__)

FOUND_SECONDS: Final = 3.0
"""How long the first player waits for the matchmakers' names to be looked up."""

REFUSED: Final = frozenset({400, 401, 403, 404})
"""Answers of a matchmaker that another one would give as well."""


class Arrival(msgspec.Struct, frozen=True):
    """What of a player's request matters further on."""

    query: str
    client: str
    headers: Mapping[str, str]
    """What the matchmaker is told: what the player proves itself by, its address, and the request's id."""


class Players:
    """The players that are connected through this router."""

    def __init__(
        self,
        settings: Settings,
        guard: Guard,
        callers: Callers,
        matchmakers: Matchmakers,
        tasks: Tasks,
        heartbeat: Heartbeat,
    ) -> None:
        self.matchmakers = matchmakers
        self.tasks = tasks
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()
        self.closing = False
        """Whether no further player is taken."""
        self.left = asyncio.Event()
        """Set whenever a player has left; the task that waits for it clears it."""
        self._most = settings.max_players
        self._origins = settings.origins
        self._policy = settings.player_policy()
        self._guard = guard
        self._callers = callers
        self._heartbeat = heartbeat
        self._open: set[Player] = set()
        self._by_client = Counts(settings.connections_per_address)

    def __len__(self) -> int:
        return len(self._open)

    @property
    def asks(self) -> bool:
        """Whether players have to prove anything, which takes time."""
        return self._guard.authenticates(self._policy)

    def take(self, caller: Caller) -> Accepted:
        """Accept a player that has to prove nothing; raise HTTPException when there is no room."""
        self._check_room(caller)
        return self.accept(caller)

    async def enter(self, caller: Caller) -> None:
        """Let somebody see the page; raise HTTPException."""
        await self._callers.check(self._policy, caller)

    async def check(self, caller: Caller) -> None:
        """Decide whether a player may come in; raise HTTPException."""
        self._check_room(caller)
        await self.enter(caller)

    def _check_room(self, caller: Caller) -> None:
        self._callers.join(caller)
        if not origin_allowed(caller.request.headers.get("Origin"), self._origins):
            raise web.HTTPForbidden(reason="pages of this origin may not connect")
        if self._by_client.full(caller.client):
            raise web.HTTPTooManyRequests(reason="too many players from this address")
        if self.closing:
            raise web.HTTPServiceUnavailable(reason="shutting down")
        if self._most and len(self._open) >= self._most:
            raise web.HTTPServiceUnavailable(reason="no room for another player")

    def accept(self, caller: Caller) -> Accepted:
        """Accept a player that has been checked."""
        request = caller.request
        arrival = Arrival(request.raw_path.partition("?")[2], caller.client, self._forwarded_headers(caller))

        def opened(socket: WebSocket) -> MessageHandler:
            player = Player(self, socket, arrival)
            self._open.add(player)
            self._by_client.add(arrival.client)
            self._heartbeat.add(socket)
            return player.begin()

        return accepted(WebSocket(self.bounds, opened), request)

    def _forwarded_headers(self, caller: Caller) -> dict[str, str]:
        headers = {"X-Forwarded-For": caller.address, "X-Request-ID": caller.request_id}
        if (proof := self._guard.authorization(caller.request)) is not None:
            headers["Authorization"] = proof
        if value := cookie_player_id(caller.request.headers, caller.request.cookies):
            headers[PLAYER_HEADER] = value
        return headers

    def forget(self, player: "Player") -> None:
        """A player's socket is gone."""
        self._open.discard(player)
        self._by_client.remove(player.arrival.client)
        self.left.set()

    def close_all(self) -> None:
        """Send everyone away, to come back at once."""
        for player in list(self._open):
            player.socket.close(close_codes.RESTARTING)


@dataclass(slots=True, eq=False)
class Player:
    """One player's way through the door."""

    players: Players
    socket: WebSocket
    arrival: Arrival
    relay: Relay = field(init=False)
    cancel_dial: Callable[[], object] | None = None
    target: Target | None = None

    def begin(self) -> MessageHandler:
        """Find a matchmaker."""
        self.relay = Relay(self.socket, on_end=self._ended)
        self.cancel_dial = self.players.tasks.spawn(self._dial())
        return self.relay

    async def _dial(self) -> None:
        players, suffix = self.players, f"/?{self.arrival.query}" if self.arrival.query else "/"
        matchmakers = players.matchmakers
        if not matchmakers.found.is_set():
            with suppress(TimeoutError):  # there is then nobody to try
                async with asyncio.timeout(FOUND_SECONDS):
                    await matchmakers.found.wait()
        status = 0
        for target in matchmakers.candidates():
            self._take(target)
            try:
                await dial(
                    target.ws_url + suffix,
                    self.relay.join,
                    players.upstream_bounds,
                    headers=self.arrival.headers,
                    tls=matchmakers.tls,
                    address=target.address,
                )
            except DialError as error:
                status = error.status
                if status in REFUSED:
                    break
                matchmakers.failed(target, str(error))
            else:
                self.cancel_dial = None  # which holds the task and all that it has seen
                return
        self._refuse(status)

    def _take(self, target: Target | None) -> None:
        """Count this player at a matchmaker, and no longer at another."""
        if self.target is not None:
            self.target.connections -= 1
        if target is not None:
            target.connections += 1
        self.target = target

    def _refuse(self, status: int) -> None:
        """Close as a matchmaker has refused; a stock page stays away after `subscribeFailed` alone."""
        if status in REFUSED:
            self.socket.send(dump({"type": "subscribeFailed", "message": close_codes.NOT_ALLOWED.reason}))
            self.socket.close(close_codes.NOT_ALLOWED)
        else:
            self.socket.close(close_codes.FULL if status == 503 else close_codes.SERVICE_UNAVAILABLE)

    def _ended(self, code: int, reason: str) -> None:
        if self.cancel_dial is not None:
            self.cancel_dial()
        self._take(None)
        self.players.forget(self)
        del self.relay  # which leads back here: a player that is gone is left to no collector
