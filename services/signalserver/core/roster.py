"""The roster of a signalling server: connected peers, their ids and their subscriptions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.dialects import Dialect
from pixelfleet.protocol.people import Invite
from signalserver.core.session_time import Limit, SessionRules, SessionTime

K = TypeVar("K")
"""The caller's key for a peer, any hashable value. The core stores and returns it and does nothing else with it."""


class Role(Enum):
    """The role of a peer, given by the port that it connected to."""

    STREAMER = "streamer"
    PLAYER = "player"
    SFU = "sfu"


@dataclass(frozen=True, slots=True)
class Admission:
    """A player's admission to one streamer, listed as `shown_as`. Players without one see every streamer."""

    session_id: str
    endpoint_id: str
    shown_as: str
    spectator: bool = False
    """A spectator occupies no slot, and may send neither input to the streamer nor calls to the application."""
    trace: str = ""
    """The `traceparent` of the service that connected the player; empty without tracing."""
    rules: SessionRules | None = None
    """The limits of this session, in place of those of the server."""
    seconds: float = 0.0
    """The longest time that the session may last by the limits of its person; 0 is no limit."""
    invite: Invite | None = None
    """The invite with which the player joins the session of another one."""
    shares: bool = False
    """Whether an invited guest occupies no slot, like a spectator."""

    @property
    def joins(self) -> bool:
        """Whether the player comes to a streamer that is in use, so that the application does not begin anew."""
        return self.spectator or self.invite is not None

    @property
    def takes_slot(self) -> bool:
        """Whether the player occupies a slot of the streamer when it arrives."""
        return not self.spectator and not self.shares


@dataclass(slots=True, eq=False)
class Source(Generic[K]):
    """A peer that others can subscribe to: a streamer or an SFU."""

    peer: "Peer[K]"
    dialect: Dialect
    strict: bool = False
    """Whether a streamer at this address has closed a connection because of a message that it did not know."""
    withheld: set[str] = field(default_factory=set)
    """The types of players' messages that were not forwarded, because the source does not accept them."""
    gives_input: bool = False
    """Whether the source has offered a data channel to a spectator, against the server's request."""
    identity: str = ""
    """A later source with the same identity may take over the endpoint id; empty for never."""
    endpoint_id: str = ""
    streaming: bool = True
    subscribers: "dict[str, Subscriber[K]]" = field(default_factory=dict)

    @property
    def listed(self) -> bool:
        """Whether players can subscribe: the source has an id and streams."""
        return bool(self.endpoint_id) and self.streaming


@dataclass(slots=True, eq=False)
class Subscriber(Generic[K]):
    """A peer that can subscribe to a source: a player or an SFU."""

    peer: "Peer[K]"
    player_id: str
    admission: Admission | None = None
    offers: bool = False
    """Whether the peer sends the offer: its URL has `OfferToReceive=true`, or it sent one before it subscribed."""
    subscribed_to: Source[K] | None = None
    unanswered_since: float | None = None
    """The time since which the peer waits for its source's first message; None when it does not wait."""
    slot_since: float | None = None
    """The time since which a player occupies a slot without an answer in either direction; None for others."""
    paused: float = 0.0
    """The seconds of that time in which the player was away, without a present absence."""
    longest_absence: float = 0.0
    """The longest time in seconds for which the player's session was kept without a websocket."""
    negotiated: bool = False
    """Whether the peer has sent or received an answer."""
    awaits_answer: bool = False
    """Whether the present subscription has had no answer in either direction."""
    offer: tuple[str, frozenset[str]] | None = None
    """A player's first offer before its answer, and the directions of the videos in it that the player would see."""
    video_failed: bool = False
    """Whether a failure of the player's video was reported."""
    bundle_index: int | None = None
    """The media section of every candidate in its source's last SDP; None when it is not certain."""
    pings: bool = False
    """Whether the peer has sent `ping`, as pages of 5.5 and later do every 30 s."""
    failure: tuple[float, CloseCode] | None = None
    """The time of the first `subscribeFailed` without a later subscription, and the code for a close after it."""
    path: str | None = None
    """The kind of the last reported ICE path."""
    path_changes: int = 0
    first_frame_reported: bool = False
    time: SessionTime = field(default_factory=SessionTime)
    """The time of a player's session."""
    hears_limits: bool = False
    """Whether a player's page knows the message `sessionLimit`."""
    config: bytes = b""
    """A player's `config` message, for a further negotiation over the same connection."""
    watches: bool = False
    """Whether the player may not send input: its source is asked for no data channel."""
    shares: bool = False
    """Whether the player occupies no slot."""
    guest: bool = False
    """Whether the player is a guest in the session of a host."""
    invites: int = 0
    """The invites that the player's page has made."""
    shown_people: bytes | None = None
    """The last `people` message to a page that has asked for it; None for other pages."""

    def __post_init__(self) -> None:
        if self.admission is not None:
            self.watches, self.shares = self.admission.spectator, not self.admission.takes_slot
            self.guest = self.admission.invite is not None and not self.admission.spectator

    warned: tuple[Limit, float] | None = None
    """The limit that is near, and the time of the end; None without a warning. Not every page is sent it."""
    trace: str = ""
    """The `traceparent` of the player's negotiation; empty without tracing."""
    repeats: set[str] = field(default_factory=set)
    """The types of messages that will repeat what the player has asked for on its arrival."""


@dataclass(slots=True, eq=False)
class Peer(Generic[K]):
    """One connected peer: a streamer is a source, a player a subscriber, an SFU both."""

    key: K
    role: Role
    connected_at: float
    address: str = ""
    source: Source[K] | None = None
    subscriber: Subscriber[K] | None = None
    bad_messages: int = 0


@dataclass(frozen=True, slots=True)
class Absence:
    """The time without a websocket of a player whose session is kept, in seconds."""

    since: float
    until: float
    """The time at which the session ends unless the player returns."""


@dataclass(slots=True, eq=False)
class Claim(Generic[K]):
    """The claim of a source to an endpoint id that another source, its holder, may have."""

    source: Source[K]
    wanted: str
    confirm: bool
    """Whether the source is sent `endpointIdConfirm`."""
    holder: Source[K] | None
    since: float
    """The time at which the holder was pinged, in seconds."""
    answered: bool = False
    """Whether the holder has sent anything since then."""


class Roster(Generic[K]):
    """The peers of one server in the order of their connections, with lookup by key and by endpoint id."""

    def __init__(self) -> None:
        self._peers: dict[K, Peer[K]] = {}
        self._by_endpoint: dict[str, Source[K]] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def add(self, peer: Peer[K]) -> None:
        """Add a peer; raise ValueError for a key that is in use."""
        if peer.key in self._peers:
            raise ValueError("the key is in use")
        self._peers[peer.key] = peer

    def find(self, key: K) -> Peer[K] | None:
        """Return the peer with this key, or None."""
        return self._peers.get(key)

    def remove(self, peer: Peer[K]) -> None:
        """Remove a peer and release its endpoint id."""
        self._peers.pop(peer.key, None)
        if peer.source is not None and self._by_endpoint.get(peer.source.endpoint_id) is peer.source:
            del self._by_endpoint[peer.source.endpoint_id]

    def peers(self, role: Role) -> Iterator[Peer[K]]:
        """Iterate over the peers of one role, oldest first."""
        return (peer for peer in self._peers.values() if peer.role is role)

    def name(self, source: Source[K], wanted: str) -> str:
        """Assign a source the id `wanted`, or the first free of `wanted1`, `wanted2`, …; return the assigned id."""
        if source.endpoint_id:
            del self._by_endpoint[source.endpoint_id]
        name, suffix = wanted, 0
        while name in self._by_endpoint:
            suffix += 1
            name = f"{wanted}{suffix}"
        source.endpoint_id = name
        self._by_endpoint[name] = source
        return name

    def source(self, endpoint_id: str) -> Source[K] | None:
        """Return the source with this endpoint id, listed or not, or None."""
        return self._by_endpoint.get(endpoint_id)

    def listed(self) -> list[Source[K]]:
        """Return the sources that players can subscribe to."""
        return [source for source in self._by_endpoint.values() if source.listed]

    def named(self) -> list[Source[K]]:
        """Return every source that has an id."""
        return list(self._by_endpoint.values())
