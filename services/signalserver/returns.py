"""The sessions of resumable players, and the pages that return to them with a token.

A token is refused with a close code after the websocket has opened, because a page cannot read an HTTP status.
"""

import secrets
import uuid
from time import perf_counter
from typing import Final, Literal

import structlog

from pixelfleet.fleet.resume import ResumeToken, resume_key, sign, verify
from pixelfleet.fleet.returning import KEPT, subscribes
from pixelfleet.net.access import client_address
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode, Retry
from pixelfleet.protocol.messages import dump
from pixelfleet.service.signing import TokenError
from signalserver.config_wait import ConfigWaits
from signalserver.core.continuity import Budget, Line
from signalserver.core.roster import Admission, Role, Subscriber
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket
from signalserver.resumable import KeptPlayer, ResumablePlayer, Windows
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

MAX_REMEMBERED: Final = 1000
"""Ended sessions whose pages must not connect again; for a further one, the oldest is forgotten."""

NOTHING: Final = Budget(0)
"""Of the pages that return with a new negotiation only: none of their messages are kept."""

End = tuple[CloseCode, str]


class Returns:
    """The sessions of one server that a page can return to."""

    def __init__(
        self, hub: Hub, drain: Drain, metrics: Metrics, settings: Settings, server_id: str, waits: ConfigWaits
    ) -> None:
        self._hub = hub
        self._drain = drain
        self._metrics = metrics
        self._settings = settings
        self._server_id = server_id
        self._waits = waits
        self._windows = Windows(settings.resume_seconds, settings.reload_seconds)
        key = settings.session_key
        self._key = resume_key(key.get_secret_value()) if key else secrets.token_bytes(32)
        self._budget = Budget()
        self._players: dict[str, ResumablePlayer] = {}
        """The players by session id."""
        self._over: dict[str, End] = {}
        """Why pages must not connect again, by the ids of their ended sessions, in the order of the ends."""
        self.url = ""
        """The server's websocket URL, as it reports it to the fleet store."""

    @property
    def enabled(self) -> bool:
        """Whether players get a token."""
        return self._settings.resume_seconds > 0

    def connect(
        self,
        socket: WebSocket,
        config: bytes,
        *,
        address: str,
        offers: bool,
        admission: Admission | None,
        session_id: str | None = None,
        former: Subscriber[PeerSocket] | None = None,
        kept: bool = False,
        subscribes: bool = False,
    ) -> ResumablePlayer:
        """Begin a negotiation: send the page its token, and connect it as a new player.

        A page that is `kept` does not know tokens and gets none. `session_id` and `former` are the session and the
        player of an earlier negotiation; without them and an admission the session is a new one. `subscribes`: the page
        has asked to be subscribed on its arrival.
        """
        if session_id is None:
            session_id = admission.session_id if admission is not None else uuid.uuid4().hex
        player = (KeptPlayer if kept else ResumablePlayer)(
            self._hub,
            self._metrics,
            self._windows,
            Line(NOTHING if kept else self._budget),
            session_id=session_id,
            line_id=secrets.token_hex(8),
            on_end=self._ended,
        )
        self._players[session_id] = player
        if not kept:
            socket.send(self._greeting(player, {"token": self._token(player, admission)}))
        player.begin(socket)
        connected = self._hub.switchboard.player_connected
        player.connection = self._hub.begin(
            player,
            Role.PLAYER,
            address,
            lambda now: connected(
                player,
                now,
                config,
                address=address,
                admission=admission,
                offers=offers,
                pings=not kept,
                former=former,
                hears_limits=not kept,
                subscribes=subscribes,
            ),
        )
        return player

    def returned(self, socket: WebSocket, request: RequestHead, text: str) -> MessageHandler | None:
        """Return the handler of a websocket whose page has sent a resume token; None if it was closed."""
        try:
            token = verify(text, self._key)
        except TokenError as error:
            self._refuse(socket, close_codes.SESSION_GONE, why=str(error))
            return None
        player = self._players.get(token.session_id) if token.server_id == self._server_id else None
        if player is None:
            code, reason = self._over.get(token.session_id, (close_codes.SESSION_GONE, None))
            self._refuse(socket, code, reason, why="no such session")
            return None
        address = client_address(request.remote, request.headers, self._settings.trusted_proxies)
        kept = isinstance(player, KeptPlayer)
        if kept != (request.query.get(KEPT) == "1") or (isinstance(player, KeptPlayer) and not player.is_away):
            self._refuse(socket, close_codes.SESSION_GONE, why="the session is not away")
            return None
        if request.query.get("fresh") == "1":
            offers = request.query.get("OfferToReceive", "").lower() == "true"
            return self._negotiate_again(socket, player, address, offers=offers, subscribes=subscribes(request.query))
        received = request.query.get("received", "")
        count = int(received) if received.isdecimal() and len(received) <= 18 else -1
        messages = player.line.resume(count) if token.line == player.line_id else None
        if messages is None:
            self._refuse(socket, close_codes.MESSAGES_LOST, why="the messages are no longer kept")
            return None
        greeting = self._greeting(player, {"resumed": True, "received": player.line.received})
        player.resume(socket, address, greeting, messages)
        self._metrics.sessions.resumed.labels("resume").inc()
        return player

    def _negotiate_again(
        self, socket: WebSocket, player: ResumablePlayer, address: str, *, offers: bool, subscribes: bool
    ) -> MessageHandler:
        """Connect the page as a new player of the same session, in the slot of the earlier one."""

        def connect(config: bytes) -> MessageHandler:
            peer = self._hub.switchboard.peer(player)
            assert peer is not None, "the websocket is closed when the session ends"
            assert peer.subscriber is not None
            player.give_way()
            renewed = self.connect(
                socket,
                config,
                address=address,
                offers=offers,
                admission=peer.subscriber.admission,
                session_id=player.session_id,
                former=peer.subscriber,
                kept=isinstance(player, KeptPlayer),
                subscribes=subscribes,
            )
            self._hub.ledger.negotiated_again(player.connection.session, renewed.connection.session, perf_counter())
            self._metrics.sessions.resumed.labels("fresh").inc()
            if self._drain.begun:
                self._drain.notify(renewed.connection)
            return renewed

        player.await_next(socket)
        return self._waits.connect(socket, Role.PLAYER, connect, session_id=player.session_id)

    def _refuse(self, socket: WebSocket, code: CloseCode, reason: str | None = None, *, why: str) -> None:
        log.info("resume refused", code=code.code, why=why)
        self._metrics.closed(Role.PLAYER, code.code)
        socket.close(code, reason)

    def _greeting(self, player: ResumablePlayer, fields: dict[str, object]) -> bytes:
        seconds = {"resumeSeconds": self._windows.resume, "reloadSeconds": self._windows.reload}
        return dump({"type": "session", **fields, **seconds})

    def _token(self, player: ResumablePlayer, admission: Admission | None) -> str:
        role: Literal["player", "spectator"] = (
            "spectator" if admission is not None and admission.spectator else "player"
        )
        trace = admission.trace if admission is not None else ""
        token = ResumeToken(
            player.session_id, self._server_id, self.url, self._settings.app, player.line_id, role, trace
        )
        return sign(token, self._key)

    def _ended(self, player: ResumablePlayer, why: CloseCode | None, reason: str) -> None:
        if self._players.get(player.session_id) is player:  # two may be admitted to one session at the same moment
            del self._players[player.session_id]
        if why is not None and why.retry is Retry.NEVER:
            self._over[player.session_id] = (why, reason)
            if len(self._over) > MAX_REMEMBERED:
                del self._over[next(iter(self._over))]
