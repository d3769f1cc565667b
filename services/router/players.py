"""The players of a router: each is relayed to a matchmaker."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aiohttp import web

from pixelfleet.auth.admission import accepted
from pixelfleet.auth.guard import Guard
from pixelfleet.auth.person import PLAYER_HEADER, cookie_player_id
from pixelfleet.fleet.handover import handover_key
from pixelfleet.fleet.resume import resume_key
from pixelfleet.fleet.resumption import Returned
from pixelfleet.fleet.returning import Refused, Resuming, Return, ReturnReader, Waiting, resumes
from pixelfleet.fleet.session_spans import RETURN, SESSION
from pixelfleet.fleet.waiting import waiting_key
from pixelfleet.net.access import origin_allowed
from pixelfleet.net.damping import RELAYED_HEADER
from pixelfleet.net.dial import DialError
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.limits import Counts
from pixelfleet.net.refusal import Reason, reason_header
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.tracing import NO_TRACING, TRACEPARENT, Span, Tracing
from router.caller import Caller, Callers
from router.handover import Offers
from router.player import Arrival, Connected, Player
from router.returning import ReturningPlayer
from router.settings import Settings
from router.trunks import Trunks
from router.upstreams.matchmakers import Matchmakers

SERVER_DIAL_SECONDS: Final = 3.0
"""The longest dial of a signalling server: if it gets no answer, the matchmaker dials while the lease is valid."""

FULL_SECONDS: Final = 1.0
"""After a matchmaker has refused a player because it is full, further ones are refused at once for this time."""


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
        on_handover: Callable[[bool], None] = lambda _: None,
        on_left: Callable[[Ending], None] = lambda _: None,
        on_passed_over: Callable[[], None] = lambda: None,
        on_return: Callable[[Returned], None] = lambda _: None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """`on_handover` is called with the outcome of each dial for a matched player, `on_left` for each player.

        `on_passed_over` is called for each player whose page did not answer its match, and `on_return` with the
        outcome of each page's return to its session.
        """
        self.matchmakers = matchmakers
        self.tasks = tasks
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()
        dial_seconds = min(SERVER_DIAL_SECONDS, settings.dial_seconds)
        self.server_bounds = replace(self.upstream_bounds, handshake_seconds=dial_seconds)
        self.handover_key = handover_key(settings.session_key.get_secret_value()) if settings.session_key else b""
        self.offers = Offers(self.handover_key)
        self.trunks = Trunks(matchmakers, self.offers, tasks, heartbeat, settings.dial_seconds)
        self._on_handover = on_handover
        self._on_left = on_left
        self.passed_over = on_passed_over
        self.returned = on_return
        self._tracing = tracing
        key = settings.session_key.get_secret_value() if settings.session_key else ""
        self._returns = ReturnReader(resume_key(key), waiting_key(key)) if key else None
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
        self._open: set[Connected] = set()
        self._by_client = Counts(settings.connections_per_address)
        self.now = asyncio.get_running_loop().time
        self._full_until = 0.0

    def __len__(self) -> int:
        return len(self._open)

    @property
    def must_authenticate(self) -> bool:
        """Whether players must authenticate, which is asynchronous."""
        return self._guard.authenticates(self._policy)

    def returning(self, caller: Caller) -> Return | None:
        """Return how the page of a caller returns; None for a new player, and without a session key."""
        return self._returns.read(caller.request.raw_path) if self._returns is not None else None

    def take_back(self, caller: Caller, returning: Return) -> Accepted:
        """Accept a page that returns; raise HTTPException when a limit is reached.

        It needs no authentication: who holds the token has been admitted. A matchmaker is needed only for a page that
        waits for a streamer.
        """
        self._check_client(caller)
        if isinstance(returning, Resuming | Refused):
            trace = returning.token.trace if isinstance(returning, Resuming) else ""
            span = self._tracing.begin(RETURN, parent=trace)
            return self._accept(caller, lambda socket, arrival: ReturningPlayer(self, socket, arrival, returning), span)
        self._check_matchmakers()
        return self.accept(caller, returning.token.trace)

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
        if not isinstance(self.returning(caller), Resuming | Waiting):
            await self.enter(caller)

    def check_origin(self, origin: str | None) -> None:
        """Raise HTTPForbidden if pages of this origin may not connect."""
        if not origin_allowed(origin, self._origins):
            raise web.HTTPForbidden(
                reason="pages of this origin may not connect", headers=reason_header(Reason.ORIGIN_NOT_ALLOWED)
            )

    def _check_room(self, caller: Caller) -> None:
        self._check_client(caller)
        self._check_matchmakers()

    def _check_client(self, caller: Caller) -> None:
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

    def _check_matchmakers(self) -> None:
        if self.now() < self._full_until:
            raise web.HTTPServiceUnavailable(
                reason="no matchmaker has room for another player", headers=reason_header(Reason.FULL)
            )
        if self.matchmakers.all_silent():
            raise web.HTTPServiceUnavailable(
                reason="no matchmaker can be reached", headers=reason_header(Reason.UNAVAILABLE)
            )

    def accept(self, caller: Caller, trace: str = "") -> Accepted:
        """Accept a player that has been checked: a matchmaker will find a streamer for it.

        `trace` is the `traceparent` of a page that returns to its place in the queue.
        """
        span = self._tracing.begin(SESSION, parent=trace or self._callers.trace(caller))
        return self._accept(caller, lambda socket, arrival: Player(self, socket, arrival), span)

    def _accept(
        self, caller: Caller, make: Callable[[WebSocket, Arrival], Player | ReturningPlayer], span: Span
    ) -> Accepted:
        request = caller.request
        arrival = Arrival(
            request.raw_path.partition("?")[2], caller.client, self._forwarded_headers(caller, span), span
        )

        def opened(socket: WebSocket) -> MessageHandler:
            player = make(socket, arrival)
            self._open.add(player)
            self._by_client.add(arrival.client)
            self._heartbeat.add(socket)
            return player.begin()

        return accepted(WebSocket(self.bounds, opened), request)

    def _forwarded_headers(self, caller: Caller, span: Span) -> dict[str, str]:
        headers = {"X-Forwarded-For": caller.address, "X-Request-ID": caller.request_id, RELAYED_HEADER: "1"}
        if (proof := self._guard.authorization(caller.request)) is not None:
            headers["Authorization"] = proof
        if value := cookie_player_id(caller.request.headers, caller.request.cookies):
            headers[PLAYER_HEADER] = value
        if span.traceparent:
            headers[TRACEPARENT] = span.traceparent
        return headers

    def full(self) -> None:
        """Refuse new players for a while, before their websockets open: all matchmakers are full."""
        self._full_until = self.now() + FULL_SECONDS

    def forget(self, player: Connected, ending: Ending) -> None:
        """Remove a player whose socket is closed, and count how it ended."""
        self._open.discard(player)
        self._by_client.remove(player.arrival.client)
        self._on_left(ending)
        self.left.set()

    def dialled(self, error: DialError | None) -> None:
        """Record the outcome of a dial of a signalling server; `error` is None for a success."""
        self.offers.dialled(self.now(), answered=error is None or error.status != 0)
        self._on_handover(error is None)

    def resumable(self) -> list[WebSocket]:
        """Return the sockets of the players whose pages can resume."""
        return [player.socket for player in self._open if resumes(player.arrival.query)]

    def close_all(self) -> None:
        """Close all players with a code after which they reconnect immediately."""
        for player in list(self._open):
            player.socket.close(close_codes.RESTARTING)
