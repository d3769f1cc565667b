"""The players of one replica, and their admission."""

import asyncio
import math
import os
import ssl
from http import HTTPStatus

import structlog
from aiohttp import web
from msgspec import structs

from matchmaker.broker import Broker
from matchmaker.client_limits import ClientLimits
from matchmaker.join_request import JoinRequestError, NotAllowedError
from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.metrics import Metrics
from matchmaker.origins import Origins
from matchmaker.place import NO_PLACE, Place
from matchmaker.player import Player
from matchmaker.recent_dials import RecentDials
from matchmaker.router_leg import RouterLeg, takes_over
from matchmaker.session_spans import begin, router_span
from matchmaker.settings import Settings
from matchmaker.use_limits import use_limits_of
from matchmaker.webhooks.admission import AdmissionError, AdmissionWebhook
from matchmaker.wishes import Wish, Wishes
from pixelfleet.auth.admission import accepted
from pixelfleet.auth.guard import Enter, UseLink
from pixelfleet.auth.identity import ANONYMOUS, Identity
from pixelfleet.auth.person import client_digest, is_by_cookie, person_of
from pixelfleet.fleet.handover import ClaimReader, handover_key
from pixelfleet.fleet.model import StreamerReport, Ticket
from pixelfleet.fleet.resume import resume_key
from pixelfleet.fleet.resumption import Resumption
from pixelfleet.fleet.returning import Refused, Resuming, Return, ReturnReader, can_resume
from pixelfleet.fleet.waiting import waiting_key
from pixelfleet.net.access import client_address, origin_allowed
from pixelfleet.net.dial import DialError
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import cors_headers, json_refusal
from pixelfleet.net.refusal import Reason, Refusal, refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.endings import ending_of
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.tracing import NO_TRACING, Tracing

log = structlog.get_logger(__name__)

Decided = Accepted | Refusal


class Players:
    """The players of one replica."""

    def __init__(
        self,
        broker: Broker,
        settings: Settings,
        tasks: Tasks,
        heartbeat: Heartbeat,
        metrics: Metrics,
        tls: ssl.SSLContext | None,
        dialects: LegacyDialects,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self.broker = broker
        self.settings = settings
        self.tasks = tasks
        self.metrics = metrics
        self._origins = Origins(settings)
        self.tls = tls
        self.dialects = dialects
        self._tracing = tracing
        self.session_key = settings.session_key.get_secret_value() if settings.session_key else None
        self.handover_key = handover_key(self.session_key) if self.session_key else b""
        self._keeps_place = math.ceil(settings.resume_seconds)
        self._waiting_key = waiting_key(self.session_key) if self.session_key else os.urandom(32)
        self._returns = ReturnReader(resume_key(self.session_key) if self.session_key else b"", self._waiting_key)
        self.claims = ClaimReader(self.handover_key) if self.handover_key else None
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()
        self.early_budget = EarlyBudget(settings.early_bytes)
        self.confirm_seconds = settings.confirm_seconds
        self.admission_webhook: AdmissionWebhook | None = None
        """Asked about each new player by `admit`."""
        self.closing = False
        """Whether new players are refused: their pages or the router connect to another replica."""
        self.left = asyncio.Event()
        """Set whenever a player has left; the task that waits for it clears it."""
        self._limits = ClientLimits(
            proxies=settings.trusted_proxies,
            joins_per_minute=settings.joins_per_minute,
            connections=settings.connections_per_address,
        )
        self._heartbeat = heartbeat
        self._open: dict[str, Player] = {}
        self._resumed: set[WebSocket] = set()
        """The sockets of pages that have returned to their sessions through this replica."""
        self.now = asyncio.get_running_loop().time
        self._dials = RecentDials(self.now)
        self._wishes = Wishes(settings)
        metrics.players.set_function(self.__len__)

    def __len__(self) -> int:
        return len(self._open) + len(self._resumed)

    def find(self, session_id: str) -> Player | None:
        """Return the player of a session that is connected here."""
        return self._open.get(session_id)

    async def admit(self, enter: Enter, use_link: UseLink, head: RequestHead) -> Decided:
        """Authenticate a player with `enter`, then accept or refuse it. Only an accepted player uses its link."""
        client = self._limits.client(head)
        refused = self._refused_by_limit(client, head)
        if refused is not None:
            return refused
        if (returning := self._returns.read(head.raw_path)) is not None:
            return self._take_back(head, client, returning)
        try:
            identity = await enter(head)
            if self.admission_webhook is None:
                decision = self._accept(head, client, identity)
            else:
                decision = await self._decide(self.admission_webhook, head, client, identity)
            if isinstance(decision, Accepted):
                await use_link(identity)
        except web.HTTPException as error:
            self.metrics.refused("authentication")
            return json_refusal(error, head, cors_headers(head.headers.get("Origin"), self.settings.origins))
        return decision

    def take(self, head: RequestHead) -> Decided:
        """Accept or refuse a player without authentication."""
        client = self._limits.client(head)
        if (refused := self._refused_by_limit(client, head)) is not None:
            return refused
        if (returning := self._returns.read(head.raw_path)) is not None:
            return self._take_back(head, client, returning)
        return self._accept(head, client, ANONYMOUS)

    def _refused_by_limit(self, client: str, head: RequestHead) -> Refusal | None:
        """Count a join; return the refusal if its client has reached a limit."""
        if self.closing or (refused := self._limits.check(client, head)) is None:
            return None
        self.metrics.refused("address")
        return refused

    def _refused_at_all(self, head: RequestHead) -> Refusal | None:
        if self.closing:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "shutting down")
        if not origin_allowed(head.headers.get("Origin"), self.settings.origins):
            why = "pages of this origin may not connect"
            return self._refuse("origin", HTTPStatus.FORBIDDEN, why, Reason.ORIGIN_NOT_ALLOWED)
        return None

    def _take_back(self, head: RequestHead, client: str, returning: Return) -> Decided:
        """Accept a page that returns; it needs no authentication, because who holds the token has been admitted."""
        if (refused := self._refused_at_all(head)) is not None:
            return refused
        if isinstance(returning, Resuming | Refused):
            return accepted(WebSocket(self.bounds, lambda socket: self._resume(socket, returning, client)), head)
        token, hands_over = returning.token, takes_over(head, self.claims, self.now())
        trace = router_span(self._tracing, self.settings, head, hands_over) or token.trace
        ticket = structs.replace(
            token.ticket,
            replica_id=self.broker.replica_id,
            client=client_digest(client),
            keeps_place=self._keeps_place,
        )
        place = Place(self._waiting_key, returned=True)
        self.metrics.returned("place")
        return accepted(
            WebSocket(
                self.bounds,
                lambda socket: self._opened(socket, ticket, token.passed_on, client, hands_over, place, trace),
            ),
            head,
        )

    def _accept(self, head: RequestHead, client: str, identity: Identity) -> Decided:
        wish = self._wish(head, identity)
        return wish if isinstance(wish, Refusal) else self._admitted(head, client, identity, wish)

    def _wish(self, head: RequestHead, identity: Identity) -> Wish | Refusal:
        """Return what a player requests, or its refusal."""
        if (refused := self._refused_at_all(head)) is not None:
            return refused
        if len(self.broker.waiting) >= self.settings.max_queue:
            return self._refuse("queue_full", HTTPStatus.SERVICE_UNAVAILABLE, "the queue is full", Reason.FULL)
        try:
            return self._wishes.of(head.raw_path, identity)
        except JoinRequestError as error:
            return self._refuse("query", HTTPStatus.BAD_REQUEST, str(error))
        except NotAllowedError as error:
            return self._refuse("not_allowed", HTTPStatus.FORBIDDEN, str(error))

    async def _decide(self, webhook: AdmissionWebhook, head: RequestHead, client: str, identity: Identity) -> Decided:
        """Accept or refuse a player as the admission webhook decides."""
        wish = self._wish(head, identity)
        if isinstance(wish, Refusal):
            return wish
        session_id, person = os.urandom(16).hex(), person_of(identity, head.headers)
        address = client_address(head.remote, head.headers, self.settings.trusted_proxies)
        try:
            wish = await webhook.decide(wish, identity, session_id=session_id, address=address, person=person)
        except AdmissionError as error:
            return self._refuse(error.outcome, error.status, str(error))
        return self._refused_at_all(head) or self._admitted(head, client, identity, wish, session_id)

    def _admitted(
        self, head: RequestHead, client: str, identity: Identity, wish: Wish, session_id: str = ""
    ) -> Accepted:
        join_request, forwarded = wish.request, wish.forwarded
        resumes, person = can_resume(forwarded), person_of(identity, head.headers)
        ticket = Ticket(
            session_id=session_id or os.urandom(16).hex(),
            replica_id=self.broker.replica_id,
            app=join_request.app,
            wants=join_request.wants,
            may_share=join_request.may_share,
            spectator=join_request.spectator,
            invite=join_request.invite,
            labels=join_request.labels,
            priority=wish.priority,
            keeps_place=self._keeps_place if resumes else 0,
            by_cookie=bool(person) and self.session_key is not None and not resumes and is_by_cookie(identity),
            limits=wish.limits,
            use_limits=use_limits_of(identity, person, self.settings),
            origin=self._origins.of(identity, join_request, head.remote, head.headers),
            client=client_digest(client),
            person=person,
        )
        hands_over = takes_over(head, self.claims, self.now())
        trace = router_span(self._tracing, self.settings, head, hands_over)
        place = Place(self._waiting_key) if ticket.keeps_place else NO_PLACE
        return accepted(
            WebSocket(
                self.bounds, lambda socket: self._opened(socket, ticket, forwarded, client, hands_over, place, trace)
            ),
            head,
        )

    def _refuse(self, counted: str, status: HTTPStatus, why: str, reason: Reason | None = None) -> Refusal:
        self.metrics.refused(counted)
        return refusal(status, why, reason)

    def forget(self, player: Player) -> None:
        """Remove a player whose socket is closed."""
        if self._open.get(player.ticket.session_id) is player:  # otherwise its page has returned
            del self._open[player.ticket.session_id]
        self._limits.closed(player.client)
        self.left.set()

    async def run(self) -> None:
        """Deliver the broker's notices to the players, until cancelled."""
        while True:
            notice = await self.broker.notices.get()
            player = self.find(notice.session_id)
            if player is not None:
                player.notified(notice)

    def dialled(self, streamer: StreamerReport, error: DialError | None) -> None:
        """Record the outcome of a dial; `error` is None for a success."""
        self._dials.add(streamer.key, ok=error is None)
        self.metrics.dialled(ok=error is None)

    @property
    def broken(self) -> bool:
        """Whether all recent dials failed, to so many streamers that this replica must be the cause."""
        return self._dials.all_failed()

    def close_all(self, why: CloseCode = close_codes.RESTARTING) -> None:
        """Close all players, by default with a code after which they reconnect, to another replica."""
        for player in list(self._open.values()):
            player.socket.close(why)
        for socket in list(self._resumed):
            socket.close(why)

    def _opened(
        self,
        socket: WebSocket,
        ticket: Ticket,
        forwarded: dict[str, str],
        client: str,
        hands_over: bool = False,
        place: Place = NO_PLACE,
        trace: str = "",
    ) -> MessageHandler:
        router = RouterLeg(socket) if hands_over else None
        spans = begin(self._tracing, ticket, trace)
        player = Player(self, socket, ticket, forwarded, client, place, router=router, spans=spans)
        if (former := self._open.get(ticket.session_id)) is not None:
            former.place.take(former)
        self._open[ticket.session_id] = player
        self._limits.opened(client)
        self._heartbeat.add(socket)
        return player.begin()

    def _resume(self, socket: WebSocket, returning: Resuming | Refused, client: str) -> MessageHandler:
        """Connect a page that returns to its session, or close it; return the handler of its socket."""

        def ended(code: int, reason: str) -> None:
            self._resumed.discard(socket)
            self._limits.closed(client)
            self.metrics.left(ending_of(code))
            self.left.set()

        self._resumed.add(socket)
        self._limits.opened(client)
        self._heartbeat.add(socket)
        resumption = Resumption(
            socket,
            returning,
            self.tasks,
            self.upstream_bounds,
            self.early_budget,
            on_outcome=self.metrics.returned,
            on_end=ended,
        )
        return resumption.begin()
