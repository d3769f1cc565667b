"""The messages that the matchmaker itself sends to players."""

from typing import Final

from matchmaker.queue.positions import UNSERVED, QueuePosition
from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.addresses import url_address
from pixelfleet.protocol.messages import Message, dump

WAITING = "Waiting for a free streamer"
NOT_SERVED = "No streamer offers this at present; waiting for one"
STORE_UNAVAILABLE = "The fleet is temporarily unavailable; you keep your place"
STREAMER_UNREACHABLE = "The streamer cannot be reached; waiting for another"


def queued(detail: str, position: QueuePosition | None = None) -> bytes:
    """Return the message to a waiting player; `detail` is the text that the page shows."""
    message: Message = {"type": "matchmaker", "queued": True, "matched": False, "detail": detail}
    if position == UNSERVED:
        message["unserved"] = True
    elif position is not None:
        message |= {"position": position.position, "ahead": position.position - 1}
        if position.eta is not None:
            message["etaSeconds"] = position.eta
    return dump(message)


def waiting(position: QueuePosition | None) -> bytes:
    """Return the message to a player that waits in its lane, at a position if it is known."""
    return queued(NOT_SERVED if position == UNSERVED else WAITING, position)


WELCOME: Final = queued(WAITING)
"""The first message to each player."""


def matched(streamer: StreamerReport) -> bytes:
    """Return the message to a player that is matched."""
    host, port = url_address(streamer.url)
    detail = {"id": streamer.key, "address": host, "port": port}
    return dump({"type": "matchmaker", "queued": False, "matched": True, "dialect": streamer.dialect, "detail": detail})


def place(token: str, seconds: int) -> bytes:
    """Return the message with the token with which a page returns to its place, for `seconds` after a loss."""
    return dump({"type": "session", "token": token, "resumeSeconds": seconds})


def refused(message: str) -> bytes:
    """Return the message after which a page shows the text and does not reconnect."""
    return dump({"type": "subscribeFailed", "message": message})
