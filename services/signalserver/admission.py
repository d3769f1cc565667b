"""The admission of players, streamers and SFUs to the ports of a signalling server."""

import hashlib
import uuid
from http import HTTPStatus
from time import perf_counter
from typing import Final

import structlog

from pixelfleet.fleet.tokens import verify
from pixelfleet.net.access import bearer_token, client_address, origin_allowed, same_secret
from pixelfleet.net.handshake import Accepted, Decision
from pixelfleet.net.refusal import Reason, Refusal, refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.signing import TokenError, TokenExpiredError
from signalserver.config_wait import AddPeer, ConfigWait
from signalserver.core.roster import Admission, Role
from signalserver.drain import Drain
from signalserver.hub import Hub, PeerConnection
from signalserver.launcher.launcher import Launcher
from signalserver.metrics import Metrics
from signalserver.rtc_config import RtcConfigSource
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

REASONS: Final = {"draining": Reason.SHUTTING_DOWN, "full": Reason.FULL, "origin": Reason.ORIGIN_NOT_ALLOWED}
"""The reasons of refusals by their label in the metrics, where the status alone is ambiguous."""

EXPIRED: Final = "the session token has expired, or the clocks differ"
"""A matchmaker dials within seconds after it signed a token: if it gets this refusal, the clocks differ."""


class PeerAdmission:
    """Decides on requests for a websocket, and connects the accepted peers to the hub."""

    def __init__(
        self,
        hub: Hub,
        drain: Drain,
        metrics: Metrics,
        settings: Settings,
        server_id: str,
        config: RtcConfigSource,
        tasks: Tasks,
        launcher: Launcher | None = None,
    ) -> None:
        self._hub = hub
        self._drain = drain
        self._metrics = metrics
        self._settings = settings
        self._server_id = server_id
        self._config = config
        self._tasks = tasks
        self._launcher = launcher
        self._waits: set[ConfigWait] = set()
        self._bounds = settings.bounds()
        # A streamer sends the messages for all its players; its port or its token is its authentication.
        self._trusted_bounds = settings.streamer_bounds()

    def player(self, request: RequestHead) -> Decision:
        """Accept a player, with the session of its token, or refuse it."""
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
        trouble = self._launcher.refuses(matched=admission is not None) if self._launcher is not None else None
        if trouble is not None:
            status = HTTPStatus.SERVICE_UNAVAILABLE if admission is None else HTTPStatus.CONFLICT
            return self._refuse(Role.PLAYER, status, "application", trouble)
        if admission is not None and not self._has_room(admission):
            return self._refuse(Role.PLAYER, HTTPStatus.CONFLICT, "slot", "the streamer is taken")
        offers = query.get("OfferToReceive", "").lower() == "true"

        def opened(socket: WebSocket) -> MessageHandler:
            address = client_address(request.remote, request.headers, settings.trusted_proxies)
            connected = self._hub.switchboard.player_connected

            def connect(config: bytes) -> PeerConnection:
                connection = self._hub.begin(
                    socket,
                    Role.PLAYER,
                    address,
                    lambda now: connected(socket, now, config, address=address, admission=admission, offers=offers),
                )
                if admission is not None and self._has_ended(admission):
                    self._hub.kick(socket, close_codes.KICKED.reason)  # ended while it waited for its configuration
                elif self._drain.begun:
                    self._drain.notify(connection)
                return connection

            return self._with_config(socket, Role.PLAYER, connect, admission)

        return Accepted(WebSocket(self._bounds, opened))

    def streamer(self, request: RequestHead) -> Decision:
        """Accept or refuse a streamer."""
        return self._trusted(request, Role.STREAMER)

    def sfu(self, request: RequestHead) -> Decision:
        """Accept or refuse an SFU."""
        return self._trusted(request, Role.SFU)

    def _trusted(self, request: RequestHead, role: Role) -> Decision:
        required = self._settings.streamer_token
        token = bearer_token(request.headers.get("Authorization"))
        if token is None:
            token = request.query.get("token")
        if required is not None and not same_secret(token, required):
            return self._refuse(role, HTTPStatus.UNAUTHORIZED, "token", "the streamer token is missing or wrong")
        if self._launcher is not None and not self._launcher.accepts_streamers:
            why = "the application is restarted"
            return self._refuse(role, HTTPStatus.SERVICE_UNAVAILABLE, "application", why)
        switchboard = self._hub.switchboard
        connected = switchboard.streamer_connected if role is Role.STREAMER else switchboard.sfu_connected

        def opened(socket: WebSocket) -> MessageHandler:
            address = request.remote
            identity = self._identity(address, token)

            def connect(config: bytes) -> PeerConnection:
                return self._hub.begin(
                    socket,
                    role,
                    address,
                    lambda now: connected(socket, now, config, address=address, identity=identity),
                )

            return self._with_config(socket, role, connect)

        return Accepted(WebSocket(self._trusted_bounds, opened))

    def _with_config(
        self, socket: WebSocket, role: Role, connect: AddPeer, admission: Admission | None = None
    ) -> MessageHandler:
        """Connect a peer with its `config` message: now, or when the TURN API has returned its credentials.

        A session occupies its slot during this wait.
        """
        config = self._config.immediate_message()
        if config is not None:
            return connect(config)
        turn_role = None if role is Role.PLAYER else "streamer"
        request = self._config.for_session(admission.session_id if admission else uuid.uuid4().hex, role=turn_role)
        wait = ConfigWait(socket, role, connect, self._waits, self._metrics, admission)
        wait.begin(request, self._tasks)
        return wait

    def _players(self) -> int:
        return self._hub.count(Role.PLAYER) + sum(wait.role is Role.PLAYER for wait in self._waits)

    def _identity(self, address: str, token: str | None) -> str:
        """Return the key by which a reconnecting streamer is recognised; empty if takeover is off."""
        if self._settings.streamer_takeover == "host":
            return address
        if self._settings.streamer_takeover == "token" and token is not None:
            return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return ""

    def _admission(self, text: str | None) -> Admission | None:
        """Return the admission of a session token; raise TokenError for an invalid or a missing required token."""
        key = self._settings.session_key
        if text is None or key is None:
            if self._settings.requires_session:
                raise TokenError("a session token is required")
            return None
        token = verify(text, key.get_secret_value(), self._server_id)
        return Admission(token.session_id, token.endpoint_id, shown_as=token.app, spectator=token.role == "spectator")

    def _has_ended(self, admission: Admission) -> bool:
        return self._hub.sessions.refuses(admission.session_id, perf_counter())

    def _has_room(self, admission: Admission) -> bool:
        self._hub.sessions.update(self._hub.switchboard.players())
        self._hub.sessions.add_admitted(wait.admission for wait in self._waits)
        return self._hub.sessions.admits(admission)

    def _refuse(self, role: Role, status: HTTPStatus, label: str, why: str) -> Refusal:
        self._metrics.refused.labels(role.value, label).inc()
        log.info("websocket refused", role=role.value, why=why)
        return refusal(status, why, REASONS.get(label))
