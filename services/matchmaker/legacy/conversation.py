"""The connection of one player to a legacy server, between the player's relay and the dialled socket.

A legacy server closes a player for a message of an unknown type, or ignores the message. Only types that it supports
are forwarded, and data that are no message are not: some servers cannot handle them.
"""

from typing import Final

from matchmaker.legacy.config_message import mended_config
from matchmaker.legacy.dialects import DIALECTS, UNREAL_5, UNREAL_5_1, accepts, shown_by
from matchmaker.legacy.known_dialects import LegacyDialects
from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.confirmation import Confirmation
from pixelfleet.net.relay import Relay
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.messages import BadMessageError, Message, parse

REJECTIONS: Final = frozenset({1001, 1008})
"""Close codes of a legacy server that a page must not get: 1001 stops Epic's pages of 5.3 and later for good, and 1008
those of Pixelfleet."""

NO_MESSAGE: Final = ""
"""The type of data that are no message."""

APPLICATION_CODES: Final = 4000
"""Close codes from this number on are those of Pixelfleet's own signalling servers."""


class LegacyConversation:
    """The upstream of the player's relay, and the handler of the socket to the legacy server."""

    def __init__(self, relay: Relay, streamer: StreamerReport, dialects: LegacyDialects) -> None:
        self._relay = relay
        self._server_id = streamer.server_id
        self._named = streamer.dialect if streamer.dialect in DIALECTS else UNREAL_5
        self._dialects = dialects
        self._socket: WebSocket | None = None
        self._handler: MessageHandler | None = None
        self._negotiated = False
        """Whether an answer has passed in either direction."""
        self._offered = False
        self._confirmation: Confirmation | None = None
        """That of the player's page, until the server's first offer."""

    def join(self, socket: WebSocket) -> MessageHandler:
        """Start to relay over the dialled socket; return its handler."""
        self._socket = socket
        self._handler = self._relay.join(self)
        return self

    # -- the player's side --------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Forward a message of the player if the server supports its type."""
        kind = _read(data)["type"]
        dialect = self._dialects.of(self._server_id, self._named)
        if kind == NO_MESSAGE or not accepts(dialect, kind):
            self._dialects.dropped(self._server_id, kind, dialect)
        elif self._socket is not None:
            self._negotiated = self._negotiated or kind == "answer"
            self._socket.send(data)

    def close(self, why: CloseCode) -> None:
        """Close the connection to the server, which does not know the codes of Pixelfleet."""
        if self._socket is not None:
            self._socket.close(close_codes.NORMAL)

    def excuse(self, confirmation: Confirmation) -> None:
        """Give a page time for its first message until the server's offer, if that is the first that it answers."""
        self._confirmation, confirmation.excused = confirmation, self._awaits_offer

    def _awaits_offer(self) -> bool:
        """Return whether the page may be one of 5.0 or 5.1 that waits for an offer."""
        return not self._offered and self._dialects.of(self._server_id, self._named) == UNREAL_5_1

    def _offers(self) -> None:
        """Give the page its time for the answer to the first offer."""
        self._offered = True
        confirmation, self._confirmation = self._confirmation, None
        if confirmation is not None:
            confirmation.restart()

    # -- the server's side --------------------------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Forward a message of the server; remember the dialect that it shows, and mend its `config`."""
        message = _read(data)
        if message["type"] == "config":
            data, faults = mended_config(message, data)
            self._dialects.config_mended(self._server_id, faults)
        if (dialect := shown_by(message)) is not None:
            self._dialects.shown(self._server_id, dialect)
        self._negotiated = self._negotiated or message["type"] == "answer"
        if message["type"] == "offer":
            self._offers()
        if self._handler is not None:
            self._handler.message(data)

    def closed(self, code: int, reason: str) -> None:
        """Report the end of the connection to the relay."""
        if self._handler is not None:
            self._handler.closed(code, reason)

    def refuses(self, code: int) -> bool:
        """Return whether a close with this code refuses the player: before an answer, and not by the streamer."""
        return not self._negotiated and code < APPLICATION_CODES and code != close_codes.DISCONNECTED_BY_STREAMER.code


def for_page(code: int, reason: str) -> tuple[int, str]:
    """Return code and reason for the page of a player that its legacy server has closed."""
    if code in REJECTIONS:
        return close_codes.STREAM_UNAVAILABLE.code, close_codes.STREAM_UNAVAILABLE.reason
    return code, reason


def _read(data: bytes) -> Message:
    """Return a message; one of the type NO_MESSAGE for data that are none."""
    try:
        return parse(data)
    except BadMessageError:
        return {"type": NO_MESSAGE}
