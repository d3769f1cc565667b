"""The doors of the signalling server: who may open a websocket on which port, and as what."""

import hashlib
import uuid
from http import HTTPStatus
from time import perf_counter
from typing import Final

import structlog

from pixelfleet.fleet.tokens import verify
from pixelfleet.net.access import bearer_token, client_address, origin_allowed, same_secret
from pixelfleet.net.handshake import Accepted, Decision
from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.signing import TokenError, TokenExpiredError
from signalserver.config_wait import ConfigWait, TakeIn
from signalserver.core.roster import Admission, Role
from signalserver.drain import Drain
from signalserver.hub import Hub, PeerConnection
from signalserver.metrics import Metrics
from signalserver.rtc_config import RtcConfigSource
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

EXPIRED: Final = "the session token has expired, or the clocks differ"
"""A matchmaker dials within seconds after it signed a token: if it gets this refusal, the clocks differ."""


class Handlers:
    """Decides on upgrades and takes in the peers that may come."""

    def __init__(
        self,
        hub: Hub,
        drain: Drain,
        metrics: Metrics,
        settings: Settings,
        server_id: str,
        config: RtcConfigSource,
        tasks: Tasks,
    ) -> None:
        self._hub = hub
        self._drain = drain
        self._metrics = metrics
        self._settings = settings
        self._server_id = server_id
        self._config = config
        self._tasks = tasks
        self._waits: set[ConfigWait] = set()
        self._bounds = settings.bounds()
        # A streamer speaks for all its players and is trusted by its port or its token.
        self._trusted_bounds = settings.streamer_bounds()

    def player(self, request: RequestHead) -> Decision:
        """Take a player, with the session that its ticket names."""
        settings = self._settings
        if not origin_allowed(request.headers.get("Origin"), settings.origins):
            return self._refuse(Role.PLAYER, HTTPStatus.FORBIDDEN, "origin", "this page's origin is not allowed")
        if not self._drain.takes_players:
            return self._refuse(Role.PLAYER, HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is shutting down")
        if settings.max_players and self._players() >= settings.max_players:
            return self._refuse(Role.PLAYER, HTTPStatus.SERVICE_UNAVAILABLE, "full", "no room for another player")
        query = request.query
        try:
            admission = self._admission(query.get("session"))
        except TokenExpiredError:
            log.warning("session token refused", why=EXPIRED)
            return self._refuse(Role.PLAYER, HTTPStatus.FORBIDDEN, "ticket", EXPIRED)
        except TokenError as error:
            log.warning("session token refused", why=str(error))
            return self._refuse(Role.PLAYER, HTTPStatus.FORBIDDEN, "ticket", "the session token is not valid")
        if admission is not None and self._has_ended(admission):
            return self._refuse(Role.PLAYER, HTTPStatus.FORBIDDEN, "ended", "an operator has ended this session")
        if admission is not None and not self._has_room(admission):
            return self._refuse(Role.PLAYER, HTTPStatus.CONFLICT, "slot", "the streamer is taken")
        offers = query.get("OfferToReceive", "").lower() == "true"

        def opened(socket: WebSocket) -> MessageHandler:
            address = client_address(request.remote, request.headers, settings.trusted_proxies)
            connected = self._hub.switchboard.player_connected

            def take_in(config: bytes) -> PeerConnection:
                connection = self._hub.begin(
                    socket,
                    Role.PLAYER,
                    address,
                    lambda now: connected(socket, now, config, address=address, admission=admission, offers=offers),
                )
                if admission is not None and self._has_ended(admission):
                    self._hub.kick(socket, close_codes.KICKED.reason)  # ended while it waited for its configuration
                elif self._drain.begun:
                    self._drain.tell(connection)
                return connection

            return self._with_config(socket, Role.PLAYER, take_in, admission)

        return Accepted(WebSocket(self._bounds, opened))

    def streamer(self, request: RequestHead) -> Decision:
        """Take a streamer."""
        return self._trusted(request, Role.STREAMER)

    def sfu(self, request: RequestHead) -> Decision:
        """Take an SFU."""
        return self._trusted(request, Role.SFU)

    def _trusted(self, request: RequestHead, role: Role) -> Decision:
        token = self._settings.streamer_token
        given = bearer_token(request.headers.get("Authorization"))
        if given is None:
            given = request.query.get("token")
        if token is not None and not same_secret(given, token):
            return self._refuse(role, HTTPStatus.UNAUTHORIZED, "token", "the streamer token is missing or wrong")
        switchboard = self._hub.switchboard
        connected = switchboard.streamer_connected if role is Role.STREAMER else switchboard.sfu_connected

        def opened(socket: WebSocket) -> MessageHandler:
            address = request.remote
            identity = self._identity(address, given)

            def take_in(config: bytes) -> PeerConnection:
                return self._hub.begin(
                    socket,
                    role,
                    address,
                    lambda now: connected(socket, now, config, address=address, identity=identity),
                )

            return self._with_config(socket, role, take_in)

        return Accepted(WebSocket(self._trusted_bounds, opened))

    def _with_config(
        self, socket: WebSocket, role: Role, take_in: TakeIn, admission: Admission | None = None
    ) -> MessageHandler:
        """Take a peer in with its configuration: now, or once the TURN API has given it credentials of its own.

        A session that waits for these holds its slot already.
        """
        config = self._config.at_once()
        if config is not None:
            return take_in(config)
        lasting = None if role is Role.PLAYER else "streamer"
        asked = self._config.for_session(admission.session_id if admission else uuid.uuid4().hex, role=lasting)
        wait = ConfigWait(socket, role, take_in, self._waits, self._metrics, admission)
        wait.begin(asked, self._tasks)
        return wait

    def _players(self) -> int:
        return self._hub.count(Role.PLAYER) + sum(wait.role is Role.PLAYER for wait in self._waits)

    def _identity(self, address: str, token: str | None) -> str:
        """Return by what a streamer is known again when it comes back."""
        if self._settings.streamer_takeover == "host":
            return address
        if self._settings.streamer_takeover == "token" and token is not None:
            return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return ""

    def _admission(self, ticket: str | None) -> Admission | None:
        """Return what a session ticket admits to; raise TokenError for a bad one, or where one is required."""
        key = self._settings.session_key
        if ticket is None or key is None:
            if self._settings.requires_session:
                raise TokenError("a session ticket is required")
            return None
        token = verify(ticket, key.get_secret_value(), self._server_id)
        return Admission(token.session_id, token.endpoint_id, shown_as=token.app, spectator=token.role == "spectator")

    def _has_ended(self, admission: Admission) -> bool:
        return self._hub.sessions.refuses(admission.session_id, perf_counter())

    def _has_room(self, admission: Admission) -> bool:
        self._hub.sessions.look(self._hub.switchboard.players())
        self._hub.sessions.look_also(wait.admission for wait in self._waits)
        return self._hub.sessions.admits(admission)

    def _refuse(self, role: Role, status: HTTPStatus, label: str, why: str) -> Refusal:
        self._metrics.refused.labels(role.value, label).inc()
        log.info("websocket refused", role=role.value, why=why)
        return refusal(status, why)
