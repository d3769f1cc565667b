"""A player that may return after its websocket ended: its key in the switchboard, and its websocket's handler.

The switchboard and the hub use a resumable player as they use the websocket of any other peer. It passes the messages
on over its present websocket, counts them and keeps those that the page has not acknowledged (`core.continuity`). When
the websocket ends without a goodbye, the player is away (`core.absence`) until a further one continues the session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import UNSET, Meta, UnsetType

from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.endings import Ending, ending_of
from signalserver.core.continuity import Line
from signalserver.core.roster import Role
from signalserver.hub import Hub, PeerConnection
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)

MAX_PING_BYTES: Final = 128
"""No heartbeat is longer, and nearly every other message is: only short messages are searched."""

MAX_AWAY: Final = 10_000
"""Away players of a server: the session of a further one ends at once."""


class Ping(msgspec.Struct, tag="ping"):
    """A page's heartbeat."""

    time: int | float | UnsetType = UNSET
    received: Annotated[int, Meta(ge=0)] | None = None
    """The number of messages that the page has received."""


class Pong(msgspec.Struct, tag="pong"):
    """The answer to a page's heartbeat."""

    time: int | float | UnsetType
    received: int
    """The number of messages of the page that were handled."""


_pings: Final = msgspec.json.Decoder(Ping)
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Windows:
    """How long the session of an away player is kept, in seconds; 0 for not at all."""

    resume: float
    """After a loss of the connection, and for a page that has announced its return."""
    reload: float
    """After a browser has closed the connection."""

    def of(self, code: int) -> tuple[Ending, float]:
        """Return how a websocket ended that closed with this code, and how long its session is kept."""
        if code == close_codes.RETURNING.code:
            return Ending.CLOSED, self.resume
        ending = ending_of(code)
        return ending, {Ending.LEFT: 0.0, Ending.CLOSED: self.reload}.get(ending, self.resume)


class ResumablePlayer:
    """One negotiation of a session, over any number of websockets one after the other."""

    __slots__ = (
        "_ended",
        "_hub",
        "_left",
        "_metrics",
        "_next",
        "_on_end",
        "_socket",
        "_windows",
        "connection",
        "line",
        "line_id",
        "on_pong",
        "send",
        "session_id",
    )

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        windows: Windows,
        line: Line,
        *,
        session_id: str,
        line_id: str,
        on_end: "OnEnd",
    ) -> None:
        self.line = line
        self.send = line.send
        self.line_id = line_id
        """The id of this negotiation, which the page's token contains."""
        self.session_id = session_id
        self.connection: PeerConnection
        self.on_pong: Callable[[], None] | None = None
        self._hub = hub
        self._metrics = metrics
        self._windows = windows
        self._on_end = on_end
        self._socket: WebSocket | None = None
        self._next: WebSocket | None = None
        """A websocket that waits for its `config`, with which the next negotiation of the session begins."""
        self._left = Ending.LOST
        """How the last websocket ended."""
        self._ended = False

    # -- interface for the hub ----------------------------------------------------------------------

    def ping(self) -> None:
        """Ping the present websocket, if there is one."""
        if self._socket is not None:
            self._socket.ping()

    def close(self, why: CloseCode, reason: str | None = None) -> None:
        """End the session with its websocket: the switchboard has removed the player."""
        reason = why.reason if reason is None else reason
        self._end(why, reason)
        if self._next is not None:
            self._next.close(why, reason)
        if self._socket is not None:
            self._socket.close(why, reason)  # `closed` does the rest
            return
        left = self._left if why is close_codes.SESSION_GONE else None
        if left is not None:
            self._metrics.sessions_expired.labels(left.value).inc()
        self._hub.forget(self.connection, why.code, reason, left=left)

    # -- interface of the websocket's handler -------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Answer a heartbeat; count any other message and pass it to the hub."""
        if len(data) <= MAX_PING_BYTES and b'"ping"' in data and (ping := _read_ping(data)) is not None:
            self._answer(ping)
        else:
            self.line.received += 1
            self._hub.received(self.connection, data)

    def closed(self, code: int, reason: str) -> None:
        """Keep the session for a while, or end it, according to the end of the websocket."""
        self._socket = None
        self.line.pause()
        self._metrics.closed(Role.PLAYER, code)
        ending, seconds = self._windows.of(code)
        if not self._ended and seconds and self._hub.switchboard.away_count < MAX_AWAY:
            self._left = ending
            log.info("player away", **self._names, ending=ending.value, code=code, reason=reason, seconds=seconds)
            self._hub.ledger.away(self.connection.session, perf_counter())
            self._hub.execute(self._hub.switchboard.away(self, perf_counter(), seconds))
            return
        if not self._ended:
            self._end(None, reason)
        self._hub.forget(self.connection, code, reason)

    # -- interface for returning pages --------------------------------------------------------------

    def begin(self, socket: WebSocket) -> None:
        """Send messages over this websocket from now on, and close the one before."""
        self._close_sockets()
        self._socket = socket
        self.line.carry = socket.send
        self._hub.keep_alive(socket)

    def resume(self, socket: WebSocket, address: str, greeting: bytes, messages: list[bytes]) -> None:
        """Continue over another websocket: send it the greeting and the messages that the page lacks."""
        self.begin(socket)
        socket.send(greeting)
        for data in messages:
            socket.send(data)
        self.connection.address = address
        self._hub.ledger.resumed(self.connection.session, perf_counter())
        self._hub.execute(self._hub.switchboard.resumed(self, perf_counter(), address))
        log.info("player resumed", **self._names, address=address, sent_again=len(messages))

    def await_next(self, socket: WebSocket) -> None:
        """Keep the slot for a page that begins a new negotiation, while its websocket waits for its `config`."""
        self._close_sockets()
        self._next = socket
        self._hub.execute(self._hub.switchboard.away(self, perf_counter(), self._windows.resume))

    def give_way(self) -> None:
        """End this negotiation, not the session: the next one takes its slot at once."""
        self._ended = True
        self.line.end()
        self._hub.execute(self._hub.switchboard.resumed(self, perf_counter(), self.connection.address))
        self._hub.forget(self.connection, close_codes.RETURNING.code, "the page negotiates again", continues=True)

    # -- internals ----------------------------------------------------------------------------------

    @property
    def _names(self) -> dict[str, str | None]:
        return {"peer": self.connection.peer_id, "session": self.connection.session_id}

    def _answer(self, ping: Ping) -> None:
        if ping.received is not None:
            self.line.acknowledge(ping.received)
        if self._socket is not None:
            self._socket.send(_encode(Pong(ping.time, self.line.received)))
        self._metrics.messages.received["player", "ping"] += 1
        self._metrics.messages.sent["pong"] += 1

    def _end(self, why: CloseCode | None, reason: str) -> None:
        self._ended = True
        self.line.end()
        self._on_end(self, why, reason)

    def _close_sockets(self) -> None:
        """Close the websockets, of which a newer one takes the place."""
        if self._next is not None:
            self._next.close(close_codes.CONTINUED_ELSEWHERE)
        if self._socket is not None:
            self._socket.hand_to(None)  # what it still receives is sent again over the newer one
            self._socket.close(close_codes.CONTINUED_ELSEWHERE)
            self._metrics.closed(Role.PLAYER, close_codes.CONTINUED_ELSEWHERE.code)
        self._socket = self._next = None
        self.line.pause()


class KeptPlayer(ResumablePlayer):
    """One negotiation of a page without a token, whose router's cookie may bring it back to its session."""

    __slots__ = ()

    def message(self, data: bytes) -> None:
        """Pass a message to the hub."""
        self._hub.received(self.connection, data)

    @property
    def is_away(self) -> bool:
        """Whether the page has no websocket, and no open one waits for the `config` with which to take its slot."""
        return self._socket is None and (self._next is None or not self._next.is_open)


OnEnd = Callable[[ResumablePlayer, CloseCode | None, str], None]
"""Called when a session ends: with the code and the reason with which the server ended it, or with None."""


def _read_ping(data: bytes) -> Ping | None:
    """Return a heartbeat, or None for any other message."""
    try:
        return _pings.decode(data)
    except msgspec.DecodeError:
        return None
