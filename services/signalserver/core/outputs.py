"""What the switchboard asks its driver to do."""

from typing import Any, Generic, NamedTuple, TypeVar

from pixelfleet.protocol.close_codes import CloseCode

K = TypeVar("K")


class Send(NamedTuple, Generic[K]):
    """Send bytes to a peer, as one text message."""

    to: K
    data: bytes
    kind: str
    """The message's type, for the counters."""


class Close(NamedTuple, Generic[K]):
    """Close a peer. The switchboard has already forgotten it."""

    to: K
    why: CloseCode
    reason: str


class Named(NamedTuple, Generic[K]):
    """A streamer or SFU has an id, or a new one; the driver notes it for the log."""

    source: K
    endpoint_id: str
    wanted: str
    """What it asked for: another, when that was taken."""


class Call(NamedTuple, Generic[K]):
    """Call the application's REST API for a player and answer it."""

    player: K
    action: str
    payload: dict[str, Any] | None


class Path(NamedTuple, Generic[K]):
    """A player told which way its video takes; the driver logs and counts it."""

    player: K
    kind: str


class FirstFrame(NamedTuple, Generic[K]):
    """A player told how it came to its first frame; the driver logs and counts it."""

    player: K
    steps: dict[str, float]
    """Seconds, by step; `pixelfleet.protocol.first_frame` has their names."""


class Drop(NamedTuple, Generic[K]):
    """A message went nowhere; the driver logs and counts it."""

    sender: K
    kind: str
    why: str
    nth: int
    """How many messages of this peer went nowhere so far."""


class Listed(NamedTuple):
    """The set of streamers, or who is subscribed to them, is no longer what it was."""


Output = Send[K] | Close[K] | Named[K] | Call[K] | Path[K] | FirstFrame[K] | Drop[K] | Listed
