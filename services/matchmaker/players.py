"""The players of one replica, and their admission."""

import asyncio
import secrets
import ssl
from collections import deque
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from matchmaker.broker import Broker
from matchmaker.client_limits import ClientLimits
from matchmaker.join_request import JoinRequest, JoinRequestError, NotAllowedError, join_request_of
from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.metrics import Metrics
from matchmaker.player import Player
from matchmaker.router_leg import RouterLeg
from matchmaker.settings import Settings
from pixelfleet.auth.admission import accepted
from pixelfleet.auth.guard import Enter, UseLink
from pixelfleet.auth.identity import ANONYMOUS, Identity
from pixelfleet.auth.person import client_digest, person_of
from pixelfleet.fleet.handover import CLAIM_HEADER, ClaimReader, handover_key
from pixelfleet.fleet.model import StreamerReport, Ticket
from pixelfleet.net.access import origin_allowed
from pixelfleet.net.dial import DialError
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import cors_headers, json_refusal
from pixelfleet.net.refusal import Reason, Refusal, refusal
from pixelfleet.net.request_head import RequestHead, query_of
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.signing import TokenError

log = structlog.get_logger(__name__)

FORWARDED: Final = ("OfferToReceive",)
"""Query parameters that are forwarded to the signalling server."""

LAUNCH: Final = "launch."
"""The beginning of the names of launch parameters, which are forwarded too; the signalling server checks them."""

MAX_LAUNCH: Final = 16
MAX_LAUNCH_NAME: Final = 64
"""Longer names, and more launch parameters of a player, are not forwarded."""

REQUESTS_REMEMBERED: Final = 256
"""Join requests in the cache: most players connect with one of a few paths, and parsing is costly."""

DIALS_REMEMBERED: Final = 32
DIALS_SECONDS: Final = 30.0
BROKEN_STREAMERS: Final = 5
"""When all recent dials failed, to at least this many streamers, the replica itself is the cause."""


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
    ) -> None:
        self.broker = broker
        self.settings = settings
        self.tasks = tasks
        self.metrics = metrics
        self.tls = tls
        self.dialects = dialects
        self.session_key = settings.session_key.get_secret_value() if settings.session_key else None
        self.handover_key = handover_key(self.session_key) if self.session_key else b""
        self._claims = ClaimReader(self.handover_key)
        self.bounds = settings.bounds()
        self.upstream_bounds = settings.upstream_bounds()
        self.early_budget = EarlyBudget(settings.early_bytes)
        self.confirm_seconds = settings.confirm_seconds
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
        self._dials: deque[tuple[float, str, bool]] = deque(maxlen=DIALS_REMEMBERED)
        self.now = asyncio.get_running_loop().time
        self._cached_join_request = lru_cache(REQUESTS_REMEMBERED)(self._join_request)
        metrics.players.set_function(self.__len__)

    def __len__(self) -> int:
        return len(self._open)

    def find(self, session_id: str) -> Player | None:
        """Return the player of a session that is connected here."""
        return self._open.get(session_id)

    async def admit(self, enter: Enter, use_link: UseLink, head: RequestHead) -> Accepted | Refusal:
        """Authenticate a player with `enter`, then accept or refuse it. Only an accepted player uses its link."""
        client = self._limits.client(head)
        refused = self._refused_by_limit(client, head)
        if refused is not None:
            return refused
        try:
            identity = await enter(head)
            decision = self._accept(head, client, identity)
            if isinstance(decision, Accepted):
                await use_link(identity)
        except web.HTTPException as error:
            self.metrics.refused("authentication")
            return json_refusal(error, head, cors_headers(head.headers.get("Origin"), self.settings.origins))
        return decision

    def take(self, head: RequestHead) -> Accepted | Refusal:
        """Accept or refuse a player without authentication."""
        client = self._limits.client(head)
        return self._refused_by_limit(client, head) or self._accept(head, client, ANONYMOUS)

    def _refused_by_limit(self, client: str, head: RequestHead) -> Refusal | None:
        """Count a join; return the refusal if its client has reached a limit."""
        if self.closing or (refused := self._limits.check(client, head)) is None:
            return None
        self.metrics.refused("address")
        return refused

    def _accept(self, head: RequestHead, client: str, identity: Identity) -> Accepted | Refusal:
        if self.closing:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "shutting down")
        if not origin_allowed(head.headers.get("Origin"), self.settings.origins):
            why = "pages of this origin may not connect"
            return self._refuse("origin", HTTPStatus.FORBIDDEN, why, Reason.ORIGIN_NOT_ALLOWED)
        if len(self.broker.waiting) >= self.settings.max_queue:
            return self._refuse("queue_full", HTTPStatus.SERVICE_UNAVAILABLE, "the queue is full", Reason.FULL)
        try:
            join_request, forwarded = self._cached_join_request(head.raw_path, identity)
        except JoinRequestError as error:
            return self._refuse("query", HTTPStatus.BAD_REQUEST, str(error))
        except NotAllowedError as error:
            return self._refuse("not_allowed", HTTPStatus.FORBIDDEN, str(error))
        ticket = Ticket(
            session_id=secrets.token_hex(16),
            replica_id=self.broker.replica_id,
            app=join_request.app,
            wants=join_request.wants,
            may_share=join_request.may_share,
            spectator=join_request.spectator,
            labels=join_request.labels,
            priority=identity.priority or 0,
            client=client_digest(client),
            person=person_of(identity, head.headers),
        )
        hands_over = self._hands_over(head)
        return accepted(
            WebSocket(self.bounds, lambda socket: self._opened(socket, ticket, forwarded, client, hands_over)), head
        )

    def _hands_over(self, head: RequestHead) -> bool:
        """Return whether a request is from a router that can take its player over."""
        claim = head.headers.get(CLAIM_HEADER)
        if claim is None or not self.handover_key:
            return False
        try:
            self._claims.check(claim, self.now())
        except TokenError as error:
            log.warning("claim of a router refused; its players are relayed", client=head.remote, why=str(error))
            return False
        return True

    def _refuse(self, counted: str, status: HTTPStatus, why: str, reason: Reason | None = None) -> Refusal:
        self.metrics.refused(counted)
        return refusal(status, why, reason)

    def forget(self, player: Player) -> None:
        """Remove a player whose socket is closed."""
        self._open.pop(player.ticket.session_id, None)
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
        self._dials.append((self.now(), streamer.key, error is None))
        self.metrics.dialled(ok=error is None)

    @property
    def broken(self) -> bool:
        """Whether all recent dials failed, to so many streamers that this replica must be the cause."""
        recent = [dial for dial in self._dials if self.now() - dial[0] < DIALS_SECONDS]
        return not any(ok for *_, ok in recent) and len({key for _, key, _ in recent}) >= BROKEN_STREAMERS

    def close_all(self, why: CloseCode = close_codes.RESTARTING) -> None:
        """Close all players, by default with a code after which they reconnect, to another replica."""
        for player in list(self._open.values()):
            player.socket.close(why)

    def _join_request(self, target: str, identity: Identity) -> tuple[JoinRequest, dict[str, str]]:
        """Return the join request of a target and the part of its query that is forwarded.

        Raises JoinRequestError or NotAllowedError.
        """
        query = query_of(target)
        settings = self.settings
        join_request = join_request_of(query, identity, app=settings.app, labels=settings.labels, join=settings.join)
        launch = [name for name in query if name.startswith(LAUNCH) and len(name) <= MAX_LAUNCH_NAME][:MAX_LAUNCH]
        return join_request, {name: query[name][:64] for name in (*FORWARDED, *launch) if name in query}

    def _opened(
        self,
        socket: WebSocket,
        ticket: Ticket,
        forwarded: dict[str, str],
        client: str,
        hands_over: bool = False,
    ) -> MessageHandler:
        router = RouterLeg(socket) if hands_over else None
        player = Player(self, socket, ticket, forwarded, client, router=router)
        self._open[ticket.session_id] = player
        self._limits.opened(client)
        self._heartbeat.add(socket)
        return player.begin()
