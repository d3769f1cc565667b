"""The doors of the signalling server: who may open a websocket on which port, and as what."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener

from pixelfleet.fleet.tokens import TokenError, verify
from pixelfleet.runtime.http import query_of, refusal
from pixelfleet.runtime.websocket import Bounds, MessageHandler, WebSocket
from signalserver.hub import Hub
from signalserver.roster import Admission, Role
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

Answer = WSListener | WSUpgradeResponseWithListener


class Doors:
    """Decides on upgrades and takes in the peers that may come."""

    def __init__(self, hub: Hub, settings: Settings, server_id: str, config: Callable[[], bytes]) -> None:
        self._hub = hub
        self._settings = settings
        self._server_id = server_id
        self._config = config
        self._bounds = settings.bounds()
        # A streamer speaks for all its players and is trusted by its port.
        self._trusted_bounds = settings.upstream_bounds()

    @property
    def bounds(self) -> Bounds:
        """The bounds of a player's connection."""
        return self._bounds

    def player(self, request: WSUpgradeRequest) -> Answer:
        """Take a player, with the session that its ticket names."""
        if self._settings.max_players and len(self._hub.links(Role.PLAYER)) >= self._settings.max_players:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no room for another player")
        query = query_of(request.path.decode("utf-8", "replace"))
        try:
            admission = self._admission(query.get("session"))
        except TokenError as error:
            log.warning("session ticket refused", why=str(error))
            return refusal(HTTPStatus.FORBIDDEN, "the session ticket is not valid")
        offers = query.get("OfferToReceive", "").lower() == "true"

        def opened(socket: WebSocket) -> MessageHandler:
            return self._hub.begin(
                socket,
                Role.PLAYER,
                socket.address,
                lambda now: self._hub.switchboard.player_connected(
                    socket, now, self._config(), address=socket.address, admission=admission, offers=offers
                ),
            )

        return WebSocket(self._bounds, opened)

    def streamer(self, request: WSUpgradeRequest) -> Answer:
        """Take a streamer."""
        return WebSocket(self._trusted_bounds, self._streamer_opened)

    def sfu(self, request: WSUpgradeRequest) -> Answer:
        """Take an SFU."""
        return WebSocket(self._trusted_bounds, self._sfu_opened)

    def _streamer_opened(self, socket: WebSocket) -> MessageHandler:
        connected = self._hub.switchboard.streamer_connected
        return self._hub.begin(
            socket,
            Role.STREAMER,
            socket.address,
            lambda now: connected(socket, now, self._config(), address=socket.address),
        )

    def _sfu_opened(self, socket: WebSocket) -> MessageHandler:
        connected = self._hub.switchboard.sfu_connected
        return self._hub.begin(
            socket, Role.SFU, socket.address, lambda now: connected(socket, now, self._config(), address=socket.address)
        )

    def _admission(self, ticket: str | None) -> Admission | None:
        """Return what a session ticket admits to; raise TokenError for a bad one, or where one is required."""
        key = self._settings.session_key
        if ticket is None or key is None:
            if self._settings.require_session:
                raise TokenError("a session ticket is required")
            return None
        token = verify(ticket, key.get_secret_value(), self._server_id)
        return Admission(token.session_id, token.endpoint_id, shown_as=token.app)
