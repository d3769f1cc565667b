"""The bodies of the matchmaker's REST answers. No I/O.

Times are seconds of unix time on the fleet store's clock, and null for never.
"""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from pixelfleet.fleet.model import LeaseState
from pixelfleet.protocol.people import InvitedRole

T = TypeVar("T")

StreamerState = Literal["free", "busy", "aside", "not ready", "draining"]
Time = Annotated[float | None, Meta(description="unix time in seconds; null is never")]
Names = Annotated[list[str], Meta(description="session ids, 100 at most")]


class Schema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object whose field names are in camel case."""


class Streamer(Schema, frozen=True, kw_only=True):
    """One streamer."""

    id: Annotated[str, Meta(description="the key: server id and endpoint id, with a slash between them")]
    server_id: str
    endpoint_id: str
    app: str
    state: Annotated[
        StreamerState,
        Meta(description="`free`, or why no player is matched; `aside` is quarantined after failed dials"),
    ]
    url: Annotated[str, Meta(description="websocket URL for players")]
    rest_url: Annotated[str | None, Meta(description="the application's REST API, without user name and password")]
    dialect: str
    stock: Annotated[bool, Meta(description="whether it belongs to a legacy signalling server")]
    labels: dict[str, str]
    node: str
    capacity: Annotated[int | None, Meta(description="simultaneous sessions; null is no limit")]
    players: int
    taken: Annotated[int, Meta(description="occupied and leased slots")]
    sessions: Names
    spectators: Annotated[int, Meta(description="spectators, and invited guests that occupy no slot")]
    spectator_input: Annotated[
        bool, Meta(description="whether it gave a spectator a data channel, so that spectators can send input")
    ]
    since: Time
    matched_at: Time
    failed_dials: Annotated[int, Meta(description="failed dials in a row")]


class Session(Schema, frozen=True, kw_only=True):
    """One session with a streamer."""

    id: str
    app: str
    streamer: Annotated[str, Meta(description="the streamer's key")]
    state: LeaseState
    away: Annotated[bool, Meta(description="the player's connection has ended, and the session is kept for a while")]
    role: Annotated[
        Literal["player", "guest", "spectator"],
        Meta(description="a guest joins the session of another player and may send input; a spectator may not"),
    ]
    arrived_at: Time
    matched_at: Time
    deadline: Annotated[float | None, Meta(description="unix time in seconds at which the lease ends; null is never")]
    replica: Annotated[str | None, Meta(description="the matchmaker to which the player connected")]
    who: Annotated[
        str | None,
        Meta(description="subject of the player's link, token or password; null without one or without the REST token"),
    ]
    address: Annotated[
        str | None,
        Meta(description="the player's address or a hash of it; null if neither is recorded or without the REST token"),
    ]
    node: str
    waited_seconds: Annotated[float | None, Meta(description="seconds in the queue; null for a direct player")]
    first_frame_seconds: Annotated[
        dict[str, float] | None, Meta(description="seconds of each step to the first frame; null before it")
    ]
    path: Annotated[str | None, Meta(description="`direct` or `relayed`; null while it is unknown")]
    codec: Annotated[str | None, Meta(description="the video codec; null while it is unknown")]
    longest_stall_seconds: Annotated[float, Meta(description="longest time without a new picture, as the page reports")]
    resumed: Annotated[int, Meta(description="how often the page has returned to its session")]
    ends_at: Annotated[
        float | None, Meta(description="unix time in seconds at which a limit ends the session; null without one")
    ]


class Invitation(Schema, frozen=True, kw_only=True):
    """An invite to a session."""

    session: str
    role: Annotated[InvitedRole, Meta(description="a guest may send input, a spectator may not")]
    once: Annotated[bool, Meta(description="whether it admits only one player")]
    expires_at: Annotated[float, Meta(description="unix time in seconds, on the matchmaker's clock")]
    token: str
    query: Annotated[str, Meta(description="the query that makes the URL of the page an invite link")]


class Waiting(Schema, frozen=True, kw_only=True):
    """One session in the queue."""

    id: str
    app: str
    position: Annotated[int, Meta(description="position among the sessions with the same request; 1 is next")]
    wants: Annotated[str | None, Meta(description="the requested streamer or session")]
    labels: dict[str, str]
    priority: int
    arrived_at: Time
    waited_seconds: float
    replica: str
    state: Annotated[Literal["waiting"] | msgspec.UnsetType, Meta(description="only in the answer for one session")] = (
        msgspec.UNSET
    )


class Page(Schema, Generic[T], frozen=True, kw_only=True):
    """A part of a list."""

    now: Annotated[float, Meta(description="unix time in seconds, on the fleet store's clock")]
    items: list[T]
    total: Annotated[int, Meta(description="length of the whole list")]
    next: Annotated[str | None, Meta(description="value of `after` for the next page; null on the last page")]


class StreamerPage(Page[Streamer], frozen=True, kw_only=True):
    """Streamers, sorted by id."""


class SessionPage(Page[Session], frozen=True, kw_only=True):
    """Sessions with a streamer, sorted by id."""


class QueuePage(Page[Waiting], frozen=True, kw_only=True):
    """Sessions in the queue, next first."""


class AuditRecord(Schema, frozen=True, kw_only=True):
    """One change by an operator."""

    id: str
    at: Annotated[float, Meta(description="unix time in seconds, on the fleet store's clock")]
    action: Annotated[
        str, Meta(description="`drain`, `undrain`, `end`, `extend SECONDS s`, `invite ROLE`, `kick` or `drain server`")
    ]
    target: Annotated[str, Meta(description="the key of a streamer, or the id of a session, a player or a server")]
    subject: Annotated[str | None, Meta(description="the operator's name; null if only a token was presented")]
    method: Annotated[
        str,
        Meta(description="how the operator was authenticated: `token`, or the router's method, where `none` is open"),
    ]
    address: Annotated[str, Meta(description="IP address of the operator's client")]
    service: Annotated[str, Meta(description="the service that made the change")]


class AuditPage(Page[AuditRecord], frozen=True, kw_only=True):
    """Changes by operators, newest first."""


class Ending(Schema, frozen=True, kw_only=True):
    """A session that is being ended."""

    id: str
    state: Literal["ending"]


class Extension(Schema, frozen=True, kw_only=True):
    """A session that is being extended."""

    id: str
    seconds: float
    state: Literal["extending"]


class App(Schema, frozen=True, kw_only=True):
    """The totals of one application."""

    app: str
    streamers: Annotated[int, Meta(description="streamers that are ready and not draining")]
    available: Annotated[int, Meta(description="streamers with a free slot")]
    aside: Annotated[int, Meta(description="streamers in quarantine")]
    slots: Annotated[float | None, Meta(description="null is no limit")]
    used: Annotated[int, Meta(description="occupied and leased slots")]
    waiting: Annotated[int, Meta(description="sessions in the queue")]
    oldest_wait_seconds: float


class Totals(Schema, frozen=True, kw_only=True):
    """The totals of all applications."""

    now: Annotated[float, Meta(description="unix time in seconds, on the fleet store's clock")]
    young: Annotated[bool, Meta(description="whether the store is warming up and matches no player")]
    apps: list[App]


class StreamersEvent(Schema, frozen=True, kw_only=True):
    """Changed and removed streamers."""

    whole: Annotated[bool, Meta(description="whether this begins a new list of all streamers")]
    changed: list[Streamer]
    gone: Annotated[list[str], Meta(description="ids of removed streamers")]


class Listed(Schema, frozen=True, kw_only=True):
    """One streamer in the format of the reference matchmaker's list."""

    id: str
    address: str
    port: int
    rest_port: int | None
    ready: bool
    num_connected_clients: int
    last_ping_received: Annotated[int, Meta(description="unix time in milliseconds")]


class Reservation(Schema, frozen=True, kw_only=True):
    """A slot that is reserved for a page that dials its streamer itself."""

    signalling_server: Annotated[str, Meta(description="host:port")]
    url: Annotated[str, Meta(description="websocket URL, with the session token")]
    session_id: str
    app: str
    dialect: str
    arrival_seconds: Annotated[float, Meta(description="seconds for which the slot is reserved")]


class NoReservation(Schema, frozen=True, kw_only=True):
    """No slot was reserved."""

    signalling_server: Literal[""]
    error: Annotated[str, Meta(description="the reason")]


class About(Schema, frozen=True, kw_only=True):
    """A description of this service."""

    service: Literal["matchmaker"]
    players: Annotated[str, Meta(description="how players connect")]
    api: Annotated[str, Meta(description="path of the REST API")]
