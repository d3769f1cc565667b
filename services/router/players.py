"""The players of a router: each is relayed to a matchmaker."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp import web

from pixelfleet.auth.admission import accepted
from pixelfleet.auth.guard import Guard
from pixelfleet.auth.person import PLAYER_HEADER, cookie_player_id
from pixelfleet.net.access import origin_allowed
from pixelfleet.net.damping import RELAYED_HEADER
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.limits import Counts
from pixelfleet.net.refusal import Reason, reason_header
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
"""The longest wait of a player for the first lookup of the matchmakers' names."""

FULL_SECONDS: Final = 1.0
"""After a matchmaker has refused a player because it is full, further ones are refused at once for this time."""

REFUSED: Final = frozenset({400, 401, 403, 404})
"""Statuses of a refusal that every other matchmaker would repeat."""

TOO_MANY: Final = 429
"""The status of a refusal because of the client's limits: the matchmaker works, and another one would pass them by."""


class Arrival(msgspec.Struct, frozen=True):
    """The parts of a player's request that the router uses after admission."""

    query: str
    client: str
    """The key under which the client is counted."""
    headers: Mapping[str, str]
    """The headers for the matchmaker: credentials, client address and request id."""


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
        self.early_budget = EarlyBudget(settings.early_bytes)
        self.closing = False
        """Whether new players are refused."""
        self.left = asyncio.Event()
        """Set whenever a player has left; the task that waits for it clears it."""
        self._max_players = settings.max_players
        self._origins = settings.origins
        self._policy = settings.player_policy()
        self._guard = guard
        self._callers = callers
        self._heartbeat = heartbeat
        self._open: set[Player] = set()
        self._by_client = Counts(settings.connections_per_address)
        self._now = asyncio.get_running_loop().time
        self._full_until = 0.0

    def __len__(self) -> int:
        return len(self._open)

    @property
    def must_authenticate(self) -> bool:
        """Whether players must authenticate, which is asynchronous."""
        return self._guard.authenticates(self._policy)

    def take(self, caller: Caller) -> Accepted:
        """Accept a player without authentication; raise HTTPException when a limit is reached."""
        self._check_room(caller)
        return self.accept(caller)

    async def enter(self, caller: Caller) -> None:
        """Authenticate a caller; raise HTTPException."""
        await self._callers.check(self._policy, caller)

    async def check(self, caller: Caller) -> None:
        """Check the limits and authenticate a player; raise HTTPException."""
        self._check_room(caller)
        await self.enter(caller)

    def check_origin(self, origin: str | None) -> None:
        """Raise HTTPForbidden if pages of this origin may not connect."""
        if not origin_allowed(origin, self._origins):
            raise web.HTTPForbidden(
                reason="pages of this origin may not connect", headers=reason_header(Reason.ORIGIN_NOT_ALLOWED)
            )

    def _check_room(self, caller: Caller) -> None:
        self._callers.join(caller)
        self.check_origin(caller.request.headers.get("Origin"))
        if self._by_client.full(caller.client):
            raise web.HTTPTooManyRequests(
                reason="too many players from this address", headers=reason_header(Reason.TOO_MANY_PLAYERS)
            )
        if self.closing:
            raise web.HTTPServiceUnavailable(reason="shutting down", headers=reason_header(Reason.SHUTTING_DOWN))
        if self._max_players and len(self._open) >= self._max_players:
            raise web.HTTPServiceUnavailable(reason="no room for another player", headers=reason_header(Reason.FULL))
        if self._now() < self._full_until:
            raise web.HTTPServiceUnavailable(
                reason="no matchmaker has room for another player", headers=reason_header(Reason.FULL)
            )
        if self.matchmakers.all_silent():
            raise web.HTTPServiceUnavailable(
                reason="no matchmaker can be reached", headers=reason_header(Reason.UNAVAILABLE)
            )

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
        headers = {"X-Forwarded-For": caller.address, "X-Request-ID": caller.request_id, RELAYED_HEADER: "1"}
        if (proof := self._guard.authorization(caller.request)) is not None:
            headers["Authorization"] = proof
        if value := cookie_player_id(caller.request.headers, caller.request.cookies):
            headers[PLAYER_HEADER] = value
        return headers

    def full(self) -> None:
        """Refuse new players for a while, before their websockets open: all matchmakers are full."""
        self._full_until = self._now() + FULL_SECONDS

    def forget(self, player: "Player") -> None:
        """Remove a player whose socket is closed."""
        self._open.discard(player)
        self._by_client.remove(player.arrival.client)
        self.left.set()

    def close_all(self) -> None:
        """Close all players with a code after which they reconnect immediately."""
        for player in list(self._open):
            player.socket.close(close_codes.RESTARTING)


@dataclass(slots=True, eq=False)
class Player:
    """One player: dials a matchmaker and relays the messages."""

    players: Players
    socket: WebSocket
    arrival: Arrival
    relay: Relay = field(init=False)
    cancel_dial: Callable[[], object] | None = None
    target: Target | None = None

    def begin(self) -> MessageHandler:
        """Start to dial a matchmaker; return the handler of the player's socket."""
        self.relay = Relay(self.socket, on_end=self._ended, budget=self.players.early_budget)
        self.cancel_dial = self.players.tasks.spawn(self._dial())
        return self.relay

    async def _dial(self) -> None:
        players, suffix = self.players, f"/?{self.arrival.query}" if self.arrival.query else "/"
        matchmakers = players.matchmakers
        if not matchmakers.found.is_set():
            with suppress(TimeoutError):  # then there are no candidates
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
                if status in REFUSED or status == TOO_MANY:
                    break
                matchmakers.failed(target, str(error))
            else:
                self.cancel_dial = None  # it would keep the task and its frames in memory
                return
        self._refuse(status)

    def _take(self, target: Target | None) -> None:
        """Count the player as a connection of `target` instead of its previous one."""
        if self.target is not None:
            self.target.connections -= 1
        if target is not None:
            target.connections += 1
        self.target = target

    def _refuse(self, status: int) -> None:
        """Close the player according to the matchmaker's refusal, 0 if none answered.

        Only after `subscribeFailed` does a stock page not reconnect.
        """
        if status in REFUSED:
            self.socket.send(dump({"type": "subscribeFailed", "message": close_codes.NOT_ALLOWED.reason}))
            self.socket.close(close_codes.NOT_ALLOWED)
        elif status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.players.full()
            self.socket.close(close_codes.FULL)
        else:
            self.socket.close(close_codes.FULL if status == TOO_MANY else close_codes.SERVICE_UNAVAILABLE)

    def _ended(self, code: int, reason: str) -> None:
        if self.cancel_dial is not None:
            self.cancel_dial()
        self._take(None)
        self.players.forget(self)
        del self.relay  # breaks the reference cycle, so that no garbage collection is needed
