"""One player of a router: it is relayed to a matchmaker, or to the signalling server to which that hands it over."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol

import msgspec
import structlog

from pixelfleet.fleet.handover import CLAIM_HEADER, Destination
from pixelfleet.fleet.resumption import Returned
from pixelfleet.fleet.session_spans import DIAL, SESSION_ID, close, dial_error
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.confirmation import Confirmation
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.relay import Relay
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending, ending_of
from pixelfleet.protocol.messages import dump
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.logs import REQUEST
from pixelfleet.service.tracing import NO_SPAN, Kind, Span, trace_headers
from router.handover import Handover, Offers
from router.trunks import PAUSE_SECONDS, RETRY_SECONDS, Trunks
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Target

log = structlog.get_logger(__name__)

FOUND_SECONDS: Final = 3.0
"""The longest wait of a player for the first lookup of the matchmakers' names."""

REFUSED: Final[Mapping[int, close_codes.CloseCode]] = {
    HTTPStatus.BAD_REQUEST: close_codes.NOT_FOUND,
    HTTPStatus.UNAUTHORIZED: close_codes.NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: close_codes.NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: close_codes.NOT_FOUND,
}
"""The close codes for refusals that every matchmaker would repeat. 400 follows an invalid name in the query."""

TOO_MANY: Final = 429
"""The status of a refusal because of the client's limits: the matchmaker works, and another one would pass them by."""


class Arrival(msgspec.Struct, frozen=True):
    """The parts of a player's request that the router uses after admission."""

    query: str
    client: str
    """The key under which the client is counted."""
    headers: Mapping[str, str]
    """The headers for the matchmaker: credentials, client address, request id and trace."""
    span: Span = NO_SPAN
    """The span of its session here."""


class Context(Protocol):
    """What all players of a router share; `Players` implements it."""

    matchmakers: Matchmakers
    tasks: Tasks
    upstream_bounds: Bounds
    server_bounds: Bounds
    """The limits of a connection to a signalling server."""
    early_budget: EarlyBudget
    offers: Offers
    trunks: Trunks
    handover_key: bytes
    """Verifies the destinations of matchmakers; empty without a session key."""
    now: Callable[[], float]
    """The loop's clock."""

    def full(self) -> None:
        """Refuse new players for a while."""

    def forget(self, player: "Connected", ending: Ending) -> None:
        """Remove a player whose socket is closed, and count how it ended."""

    def dialled(self, error: DialError | None) -> None:
        """Record the outcome of a dial of a signalling server."""

    def passed_over(self) -> None:
        """Count a player whose page did not answer its match."""

    def returned(self, outcome: Returned) -> None:
        """Record the outcome of a page's return to its session."""


class Connected(Protocol):
    """A player as the router counts it."""

    socket: WebSocket
    arrival: Arrival


@dataclass(slots=True, eq=False)
class Player:
    """One player: dials a matchmaker and relays the messages."""

    players: Context
    socket: WebSocket
    arrival: Arrival
    relay: Relay = field(init=False)
    cancel_dial: Callable[[], object] | None = None
    target: Target | None = None
    handover: Handover | None = None
    """Set while the matchmaker may hand the player over."""
    on_trunk: bool = False
    """Whether the player is connected to its matchmaker over a trunk."""
    session: str = ""
    """The id of its session, once it has been handed over."""
    began_at: float = 0.0
    """When the dial of its signalling server began, then when that succeeded, on the loop's clock."""

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
        headers: Mapping[str, str] = self.arrival.headers
        joined: Callable[[WebSocket], MessageHandler] = self.relay.join
        if claim := players.offers.claim(players.now()):
            self.handover = Handover(self.relay, players.handover_key, self)
            headers, joined = {**headers, CLAIM_HEADER: claim}, self.handover.join
        status = 0
        for target in matchmakers.candidates():
            self._take(target)
            try:
                await self._reach(target, suffix, joined, headers)
            except DialError as error:
                status = error.status
                if status in REFUSED or status == TOO_MANY:
                    break
                matchmakers.failed(target, str(error))
            else:
                self.cancel_dial = None  # it would keep the task and its frames in memory
                return
        self._refuse(status)

    async def _reach(
        self,
        target: Target,
        suffix: str,
        joined: Callable[[WebSocket], MessageHandler],
        headers: Mapping[str, str],
    ) -> None:
        """Connect the player to a matchmaker: over its trunk or a connection of its own. Raises DialError."""
        players = self.players
        trunk = players.trunks.of(target) if self.handover is not None else None
        if trunk is not None:
            self.on_trunk = True
            try:
                await trunk.dial(suffix, joined, players.upstream_bounds, headers=headers)
            except DialError as error:
                if error.status in REFUSED or error.status == TOO_MANY:
                    raise
                # Another replica may answer at this address, or the trunk alone is broken.
                players.trunks.avoid(target, players.now() + RETRY_SECONDS)
            else:
                return
        self.on_trunk = False
        await dial(
            target.ws_url + suffix,
            joined,
            players.upstream_bounds,
            headers=headers,
            tls=players.matchmakers.tls,
            address=target.address,
        )

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
        if (code := REFUSED.get(status)) is not None:
            self.socket.send(dump({"type": "subscribeFailed", "message": code.reason}))
            self.socket.close(code)
        elif status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.players.full()
            self.socket.close(close_codes.FULL)
        else:
            self.socket.close(close_codes.FULL if status == TOO_MANY else close_codes.SERVICE_UNAVAILABLE)

    # -- the signalling server ----------------------------------------------------------------------

    def dial(self, destination: Destination) -> Callable[[], object]:
        """Start to dial a signalling server; return a function that cancels it."""
        return self.players.tasks.spawn(self._dial_server(destination))

    async def _dial_server(self, destination: Destination) -> None:
        players, handover = self.players, self.handover
        assert handover is not None
        REQUEST.set(self.arrival.headers["X-Request-ID"])  # a trunk, which all players share, has started this task
        self.began_at = players.now()
        self.arrival.span.set({SESSION_ID: destination.session})
        span = self.arrival.span.child(DIAL, kind=Kind.CLIENT, parent=destination.trace)
        try:
            await dial(destination.url, handover.join_server, players.server_bounds, headers=trace_headers(span))
        except DialError as error:
            log.warning("streamer cannot be reached", session=destination.session, why=str(error))
            span.end(error=dial_error(error.status))
            players.dialled(error)
            handover.failed(error)
        else:
            players.dialled(None)
        finally:
            span.end()

    def handed_over(self, destination: Destination) -> float:
        """Record that the player is connected to its signalling server; return the seconds that the dial took."""
        began, self.began_at = self.began_at, self.players.now()
        self.session, self.handover = destination.session, None
        self._take(None)
        if destination.confirm_seconds > 0:
            Confirmation(self.socket, self.relay, destination.confirm_seconds, self._passed_over).begin()
        return self.began_at - began

    def trunk_offered(self) -> None:
        """Have a trunk dialled to the matchmaker."""
        if self.target is not None:
            self.players.trunks.offered(self.target)

    def relayed(self) -> None:
        """Keep further players off the trunk: the matchmaker relays."""
        if self.on_trunk and self.target is not None:
            self.players.trunks.avoid(self.target, self.players.now() + PAUSE_SECONDS)

    def _passed_over(self) -> None:
        """Give up the streamer of a page that did not answer its match."""
        log.info("player passed over", session=self.session)
        self.players.passed_over()
        self.relay.close(close_codes.PASSED_OVER)

    def _ended(self, code: int, reason: str) -> None:
        if self.cancel_dial is not None:
            self.cancel_dial()
        self._take(None)
        ending = ending_of(code)
        self.players.forget(self, ending)
        if self.session:
            played = round(self.players.now() - self.began_at, 3)
            log.info("player left", session=self.session, played=played, ending=ending.value, code=code, reason=reason)
        close(self.arrival.span, code)
        self.handover = None
        del self.relay  # breaks the reference cycle, so that no garbage collection is needed
