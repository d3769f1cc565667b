"""What a matchmaker itself says to a player, and the little that it reads of what a waiting player says."""

from urllib.parse import urlsplit

from pixelfleet.fleet.model import StreamerReport
from pixelfleet.wire.messages import BadMessageError, Message, dump, parse


def queued(detail: str, *, position: int | None = None) -> bytes:
    """Return the message to a player that waits; `position` 1 is next."""
    message: Message = {"type": "matchmaker", "queued": True, "matched": False, "detail": detail}
    if position is not None:
        message |= {"position": position, "ahead": position - 1}
    return dump(message)


def matched(streamer: StreamerReport) -> bytes:
    """Return the message to a player that has been given a streamer."""
    target = urlsplit(streamer.url)
    return dump(
        {
            "type": "matchmaker",
            "queued": False,
            "matched": True,
            "dialect": streamer.dialect,
            "detail": {
                "id": streamer.key,
                "address": target.hostname or "",
                "port": target.port or (443 if target.scheme == "wss" else 80),
            },
        }
    )


def pong_for(data: bytes) -> bytes | None:
    """Return the answer to a `ping`, or None when the message is something else."""
    if b"ping" not in data:
        return None
    try:
        message = parse(data)
    except BadMessageError:
        return None
    if message["type"] != "ping":
        return None
    return dump({"type": "pong", "time": message.get("time")})
