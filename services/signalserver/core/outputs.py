"""The outputs of the switchboard: actions for the driver, and changes that it logs, counts or announces."""

from typing import Any, Generic, NamedTuple, TypeVar

from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.people import Invite
from signalserver.core.session_time import Limit

K = TypeVar("K")


class Send(NamedTuple, Generic[K]):
    """Send bytes to a peer, as one text message."""

    to: K
    data: bytes
    kind: str
    """The message's type, for the counters."""


class Close(NamedTuple, Generic[K]):
    """Close a peer's connection. The switchboard has already removed the peer."""

    to: K
    why: CloseCode
    reason: str


class SourceNamed(NamedTuple, Generic[K]):
    """A streamer or SFU got an endpoint id, its first or a new one."""

    source: K
    endpoint_id: str
    wanted: str
    """The requested id. It differs from `endpoint_id` when it was in use."""


class Probe(NamedTuple, Generic[K]):
    """Ping a peer, report its pong with `Switchboard.answered`, and call `tick` after PROBE_SECONDS."""

    to: K


class Call(NamedTuple, Generic[K]):
    """Call the application's REST API for a player and send the player the response."""

    player: K
    action: str
    payload: dict[str, Any] | None
    watches: bool = False
    """Whether the player may not send input, so that the call must be refused."""


class InviteRequested(NamedTuple, Generic[K]):
    """The host of a session requests an invite: sign it and send the player `invited`."""

    host: K
    invite: Invite
    seconds: int
    """How long it is to be valid."""


class PersonRemoved(NamedTuple, Generic[K]):
    """The host of a session removes a person: close it, and refuse its session from now on."""

    person: K


class NegotiatedAgain(NamedTuple, Generic[K]):
    """A player negotiates again over its connection, because it may send input from now on, or no longer."""

    player: K
    player_id: str
    """Its new id."""
    watches: bool


class InputOffered(NamedTuple, Generic[K]):
    """A source has offered a data channel to a player that may not send input, against the server's request."""

    player: K
    streamer: str
    """The source's endpoint id."""


class IcePathChanged(NamedTuple, Generic[K]):
    """A player reported a new ICE path; `kind` is one of `pixelfleet.protocol.messages.PATH_KINDS`."""

    player: K
    kind: str


class FirstFrame(NamedTuple, Generic[K]):
    """A player reported its first frame."""

    player: K
    steps: dict[str, float]
    """Seconds by step; `pixelfleet.protocol.first_frame` has the names of the steps."""


class PlaybackReported(NamedTuple, Generic[K]):
    """A player reported how its video plays."""

    player: K
    codec: str
    """The name of a known codec; empty if it is unknown."""
    stall: float
    """The longest time without a new picture so far, in seconds."""


class VideoFailed(NamedTuple, Generic[K]):
    """A player can show no video."""

    player: K
    reason: str
    """One of `pixelfleet.protocol.video_failure.REASONS`."""
    codecs: tuple[str, ...]
    """The offered codecs, the preferred one first; empty if the failure concerns none."""


class LimitReached(NamedTuple, Generic[K]):
    """The session of a player has reached a limit: it is closed."""

    player: K
    limit: Limit


class MessageDropped(NamedTuple, Generic[K]):
    """A message of a peer was dropped."""

    sender: K
    kind: str
    why: str
    nth: int
    """The number of dropped messages of this peer, with this one."""


class MessageWithheld(NamedTuple, Generic[K]):
    """A message of a player was not forwarded, because its streamer does not accept this type."""

    sender: K
    kind: str
    streamer: str
    """The streamer's endpoint id."""
    first: bool
    """Whether this is the first message of this type that the streamer was not sent."""


class MessageRefused(NamedTuple):
    """A streamer closed its connection because of a message that it does not know. It has left the roster."""

    kind: str
    streamer: str
    """The streamer's endpoint id; empty if it had none."""
    address: str


class RosterChanged(NamedTuple):
    """The listed streamers, the players or the subscriptions changed."""


Output = (
    Send[K]
    | Close[K]
    | SourceNamed[K]
    | Probe[K]
    | Call[K]
    | InviteRequested[K]
    | PersonRemoved[K]
    | NegotiatedAgain[K]
    | InputOffered[K]
    | IcePathChanged[K]
    | FirstFrame[K]
    | PlaybackReported[K]
    | VideoFailed[K]
    | LimitReached[K]
    | MessageDropped[K]
    | MessageWithheld[K]
    | MessageRefused
    | RosterChanged
)
