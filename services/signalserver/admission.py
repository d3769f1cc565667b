"""The admission of players, streamers and SFUs to the ports of a signalling server."""

import hashlib
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import structlog

from pixelfleet.fleet.returning import KEPT, subscribes
from pixelfleet.fleet.tokens import verify
from pixelfleet.net.access import bearer_token, client_address, origin_allowed, same_secret
from pixelfleet.net.handshake import Accepted, Decision
from pixelfleet.net.refusal import Reason, Refusal, refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.signing import TokenError, TokenExpiredError
from pixelfleet.service.tracing import traceparent_of
from signalserver.config_wait import ConfigWaits
from signalserver.core.roster import Admission, Role
from signalserver.drain import Drain
from signalserver.hub import Hub, PeerConnection
from signalserver.launcher.launcher import Launcher
from signalserver.launcher.parameters import launch_parameters_of
from signalserver.metrics import Metrics
from signalserver.resumable import ResumablePlayer
from signalserver.returns import Returns
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

REASONS: Final = {"draining": Reason.SHUTTING_DOWN, "full": Reason.FULL, "origin": Reason.ORIGIN_NOT_ALLOWED}
"""The reasons of refusals by their label in the metrics, where the status alone is ambiguous."""

NEW: Final = "1"
"""The value of `resume` in the query of a page that can return later; any other value is a resume token."""

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
        waits: ConfigWaits,
        returns: Returns,
        launcher: Launcher | None = None,
    ) -> None:
        self._hub = hub
        self._drain = drain
        self._metrics = metrics
        self._settings = settings
        self._server_id = server_id
        self._waits = waits
        self._returns = returns
        self._launcher = launcher
        self._bounds = settings.bounds()
        # A streamer sends the messages for all its players; its port or its token is its authentication.
        self._trusted_bounds = settings.streamer_bounds()

    def player(self, request: RequestHead) -> Decision:
        """Accept a player, with the session of its token, or refuse it.

        A page that returns with a resume token is always accepted: its session has a place.
        """
        settings = self._settings
        if not origin_allowed(request.headers.get("Origin"), settings.origins):
            return self._refuse(Role.PLAYER, HTTPStatus.FORBIDDEN, "origin", "this page's origin is not allowed")
        query = request.query
        resume = query.get("resume", "")
        if resume not in ("", NEW):
            return Accepted(WebSocket(self._bounds, lambda socket: self._returns.returned(socket, request, resume)))
        if not self._drain.takes_players:
            return self._refuse(Role.PLAYER, HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is shutting down")
        if settings.max_players and self._players() >= settings.max_players:
            return self._refuse(Role.PLAYER, HTTPStatus.SERVICE_UNAVAILABLE, "full", "no room for another player")
        try:
            admission = self._admission(query.get("session"), request)
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
        if admission is not None and admission.invite is not None:
            self._hub.sessions.expect(admission.session_id)
        offers = query.get("OfferToReceive", "").lower() == "true"
        kept = resume != NEW and query.get(KEPT) == "1"
        resumable = (resume == NEW or kept) and self._returns.enabled

        def opened(socket: WebSocket) -> MessageHandler:
            address = client_address(request.remote, request.headers, settings.trusted_proxies)

            def connect(config: bytes) -> MessageHandler:
                handler: PeerConnection | ResumablePlayer
                if resumable:
                    handler = self._returns.connect(
                        socket,
                        config,
                        address=address,
                        offers=offers,
                        admission=admission,
                        kept=kept,
                        subscribes=subscribes(query),
                    )
                    connection = handler.connection
                else:
                    connection = handler = self._connect(socket, config, address, admission, offers=offers)
                if admission is not None and self._has_ended(admission):
                    # It was ended while it waited for its configuration.
                    self._hub.kick(connection.socket, close_codes.KICKED.reason)
                elif self._drain.begun:
                    self._drain.notify(connection)
                return handler

            first = self._prepared(query, admission)
            return self._waits.connect(socket, Role.PLAYER, connect, admission=admission, first=first)

        return Accepted(WebSocket(self._bounds, opened))

    def _prepared(self, query: Mapping[str, str], admission: Admission | None) -> Coroutine[Any, Any, None] | None:
        """Return what a player waits for so that the application has its launch parameters, or None."""
        if self._launcher is None or (admission is not None and admission.joins):
            return None
        session = admission.session_id if admission is not None else None
        launch, ignored = launch_parameters_of(query, self._settings.launch_parameters)
        if ignored:
            log.info("launch parameters ignored", session=session, why=ignored)
        return self._launcher.prepare(launch, session)

    def _connect(
        self, socket: WebSocket, config: bytes, address: str, admission: Admission | None, *, offers: bool
    ) -> PeerConnection:
        """Connect a player that cannot return."""
        connected = self._hub.switchboard.player_connected
        self._hub.keep_alive(socket)
        return self._hub.begin(
            socket,
            Role.PLAYER,
            address,
            lambda now: connected(socket, now, config, address=address, admission=admission, offers=offers),
        )

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
                self._hub.keep_alive(socket)
                return self._hub.begin(
                    socket,
                    role,
                    address,
                    lambda now: connected(socket, now, config, address=address, identity=identity),
                )

            return self._waits.connect(socket, role, connect)

        return Accepted(WebSocket(self._trusted_bounds, opened))

    def _players(self) -> int:
        return self._hub.count(Role.PLAYER) + self._waits.players()

    def _identity(self, address: str, token: str | None) -> str:
        """Return the key by which a reconnecting streamer is recognised; empty if takeover is off."""
        if self._settings.streamer_takeover == "host":
            return address
        if self._settings.streamer_takeover == "token" and token is not None:
            return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return ""

    def _admission(self, text: str | None, request: RequestHead) -> Admission | None:
        """Return the admission of a session token; raise TokenError for an invalid or a missing required token."""
        key = self._settings.session_key
        if text is None or key is None:
            if self._settings.requires_session:
                raise TokenError("a session token is required")
            return None
        token = verify(text, key.get_secret_value(), self._server_id)
        return Admission(
            token.session_id,
            token.endpoint_id,
            shown_as=token.app,
            spectator=token.role == "spectator",
            trace=traceparent_of(request.headers),
            rules=self._settings.session_rules(token.limits) if token.limits is not None else None,
            seconds=token.seconds,
            invite=token.invite,
            shares=token.shares,
        )

    def _has_ended(self, admission: Admission) -> bool:
        return self._hub.sessions.refuses(admission.session_id, perf_counter())

    def _has_room(self, admission: Admission) -> bool:
        self._hub.sessions.update(self._hub.switchboard.players())
        self._hub.sessions.add_admitted(self._waits.admissions())
        return self._hub.sessions.admits(admission)

    def _refuse(self, role: Role, status: HTTPStatus, label: str, why: str) -> Refusal:
        self._metrics.refused.labels(role.value, label).inc()
        log.info("websocket refused", role=role.value, why=why)
        return refusal(status, why, REASONS.get(label))
