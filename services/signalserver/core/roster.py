"""Who is connected to a signalling server: peers, their ids, and who is subscribed to whom."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from pixelfleet.protocol.dialects import Dialect

K = TypeVar("K")
"""What the caller knows a peer by: any hashable thing; it is only handed back."""


class Role(Enum):
    """What a peer is, by the port that it came to."""

    STREAMER = "streamer"
    PLAYER = "player"
    SFU = "sfu"


@dataclass(frozen=True, slots=True)
class Admission:
    """What a player may see: one streamer under one name. Players without one see every streamer."""

    session_id: str
    endpoint_id: str
    shown_as: str
    spectator: bool = False
    """Watches, and may not call the application."""


@dataclass(slots=True, eq=False)
class Source(Generic[K]):
    """What can be subscribed to: a streamer, or an SFU's copy of one."""

    peer: "Peer[K]"
    dialect: Dialect
    identity: str = ""
    """By what it is known again when it comes back; empty for never."""
    endpoint_id: str = ""
    streaming: bool = True
    subscribers: "dict[str, Subscriber[K]]" = field(default_factory=dict)

    @property
    def listed(self) -> bool:
        """Whether players see it: it has an id and streams."""
        return bool(self.endpoint_id) and self.streaming


@dataclass(slots=True, eq=False)
class Subscriber(Generic[K]):
    """What can subscribe: a player, or an SFU."""

    peer: "Peer[K]"
    player_id: str
    admission: Admission | None = None
    offers: bool = False
    """Whether it sends the offer itself: its URL said `OfferToReceive=true`, or it just did."""
    subscribed_to: Source[K] | None = None
    unanswered_since: float | None = None
    """When it subscribed, until its streamer's first word to it."""
    path: str | None = None
    """The way that its video takes, as it last said."""
    path_changes: int = 0
    has_told_first_frame: bool = False


@dataclass(slots=True, eq=False)
class Peer(Generic[K]):
    """One connection: a streamer is a source, a player a subscriber, an SFU both."""

    key: K
    role: Role
    since: float
    address: str = ""
    source: Source[K] | None = None
    subscriber: Subscriber[K] | None = None
    bad_messages: int = 0


class Roster(Generic[K]):
    """The peers of one server, found by key, by endpoint id, in the order in which they came."""

    def __init__(self) -> None:
        self._peers: dict[K, Peer[K]] = {}
        self._by_endpoint: dict[str, Source[K]] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def add(self, peer: Peer[K]) -> None:
        """Take in a new peer; raise ValueError for a key that is in use."""
        if peer.key in self._peers:
            raise ValueError("the key is in use")
        self._peers[peer.key] = peer

    def find(self, key: K) -> Peer[K] | None:
        """Return the peer with this key."""
        return self._peers.get(key)

    def remove(self, peer: Peer[K]) -> None:
        """Forget a peer and its endpoint id."""
        self._peers.pop(peer.key, None)
        if peer.source is not None and self._by_endpoint.get(peer.source.endpoint_id) is peer.source:
            del self._by_endpoint[peer.source.endpoint_id]

    def peers(self, role: Role) -> Iterator[Peer[K]]:
        """Go through the peers of one role, oldest first."""
        return (peer for peer in self._peers.values() if peer.role is role)

    def name(self, source: Source[K], wanted: str) -> str:
        """Give a source the id that it wants, or the first free of `wanted1`, `wanted2`, …; return it."""
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
        """Return the source with this id, listed or not."""
        return self._by_endpoint.get(endpoint_id)

    def listed(self) -> list[Source[K]]:
        """Return the sources that players see."""
        return [source for source in self._by_endpoint.values() if source.listed]

    def named(self) -> list[Source[K]]:
        """Return every source that has an id."""
        return list(self._by_endpoint.values())
