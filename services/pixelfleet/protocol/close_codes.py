"""The catalogue of close codes. A code's range determines whether a client reconnects.

==========  ===============================================================
4000-4099   reconnect immediately: the connection is lost, a new one may work
4100-4199   reconnect later: the service is full or shutting down
4200-4299   do not reconnect: the result would be the same
4300-4399   between services only: how a player's connection ended
==========  ===============================================================

1001 ("going away") is never sent, but to a client that has sent it, as the echo that ends the handshake: it is the
only code after which Epic's page does not reconnect.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Retry(Enum):
    """What a client should do after a close."""

    AT_ONCE = "reconnect at once"
    LATER = "reconnect later"
    NEVER = "do not reconnect"


@dataclass(frozen=True, slots=True)
class CloseCode:
    """A close code with its reason text and its metric label."""

    code: int
    label: str
    reason: str

    @property
    def retry(self) -> Retry:
        """What the client should do, by the code's range."""
        return retry_of(self.code)


def retry_of(code: int) -> Retry:
    """Return what a client should do after a close with this code.

    A client that receives 1001 has sent it itself, since no service does. Firefox does so for a page that stays, after
    a click on a link to a download.
    """
    if 4200 <= code <= 4299 or code in (1000, 1002, 1003, 1007, 1008, 1009, 1011):
        return Retry.NEVER
    if 4100 <= code <= 4199 or code == 1013:
        return Retry.LATER
    return Retry.AT_ONCE


NO_STATUS: Final = 1005
ABNORMAL: Final = 1006

FIRST_PRIVATE: Final = 4000
"""The first code that the standard leaves to applications."""

_CATALOGUE: dict[int, CloseCode] = {}


def _define(code: int, label: str, reason: str) -> CloseCode:
    if code in _CATALOGUE:
        raise ValueError(f"close code {code} is defined twice")
    _CATALOGUE[code] = CloseCode(code, label, reason)
    return _CATALOGUE[code]


NORMAL = _define(1000, "normal", "bye")
PROTOCOL_ERROR = _define(1002, "protocol_error", "broken websocket framing")
MESSAGE_TOO_BIG = _define(1009, "message_too_big", "message too big")
DISCONNECTED_BY_STREAMER = _define(1011, "disconnected_by_streamer", "the streamer ended the connection")

STREAMER_LEFT = _define(4000, "streamer_left", "the streamer left")
STREAM_UNAVAILABLE = _define(4001, "stream_unavailable", "the streamer cannot be reached")
PONG_TIMEOUT = _define(4002, "pong_timeout", "no answer to a ping")
SLOW_CONSUMER = _define(4003, "slow_consumer", "the peer does not read what it is sent")
REPLACED = _define(4004, "replaced", "the same streamer connected again")
RESTARTING = _define(4005, "restarting", "the server restarts")
SLOT_TAKEN = _define(4006, "slot_taken", "the streamer is taken")
SESSION_GONE = _define(4007, "session_gone", "the session cannot be resumed")
MESSAGES_LOST = _define(4008, "messages_lost", "messages were lost; negotiate again")
PASSED_OVER = _define(4009, "passed_over", "the page did not answer its match")
RETURNING = _define(4010, "returning", "the page returns with a new negotiation")

NO_STREAMER = _define(4100, "no_streamer", "no streamer is available")
SHUTTING_DOWN = _define(4101, "shutting_down", "the server is shutting down")
FULL = _define(4102, "full", "no room for another connection")
QUEUE_TIMEOUT = _define(4103, "queue_timeout", "waited too long for a streamer")
RATE_LIMITED = _define(4104, "rate_limited", "too many messages")
SERVICE_UNAVAILABLE = _define(4105, "service_unavailable", "the service cannot be reached")

NOT_ALLOWED = _define(4200, "not_allowed", "not allowed")
KICKED = _define(4201, "kicked", "removed by the host")
SESSION_OVER = _define(4202, "session_over", "the session is over")
BAD_MESSAGES = _define(4203, "bad_messages", "too many messages that are not understood")
TOO_DEEP = _define(4204, "too_deep", "a message nests too deep")
NO_MEDIA = _define(4205, "no_media", "no video was negotiated in time")
NOT_FOUND = _define(4206, "not_found", "no such application or session")
NO_CODEC = _define(4207, "no_codec", "no common video codec")
CONTINUED_ELSEWHERE = _define(4208, "continued_elsewhere", "the session goes on over another connection")
TIME_OVER = _define(4209, "time_over", "the time of this session is over")
IDLE = _define(4210, "idle", "the session had no input for too long")
TOO_MANY_SESSIONS = _define(4211, "too_many_sessions", "the account has as many sessions as it may have")
NO_MINUTES = _define(4212, "no_minutes", "the account has used its minutes of the day")
SESSION_FULL = _define(4213, "session_full", "the session admits no more people")

PLAYER_CLOSED = _define(4300, "player_closed", "the player's browser closed the connection")
PLAYER_LOST = _define(4301, "player_lost", "the player's connection was lost")
PLAYER_TIMED_OUT = _define(4302, "player_timed_out", "the player did not answer in time")


def may_be_sent(code: int) -> bool:
    """Return whether an endpoint may send a code in a close frame (RFC 6455, 7.4)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def find(code: int) -> CloseCode | None:
    """Return the entry of a code, or None for a code that is not in the catalogue."""
    return _CATALOGUE.get(code)


def label_of(code: int) -> str:
    """Return the metric label of any code, from a fixed set: clients may send arbitrary codes."""
    known = _CATALOGUE.get(code)
    if known is not None:
        return known.label
    return {1001: "going_away", NO_STATUS: "no_status", ABNORMAL: "abnormal"}.get(code, "other")


def catalogue() -> tuple[CloseCode, ...]:
    """Return every defined close code."""
    return tuple(_CATALOGUE.values())
