"""Events: the changes of sessions and streamers in the fleet store, in their order.

The scripts of `redis/lua` write them in the same run as the change: exactly once, also when a process is killed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from pixelfleet.fleet.records import SessionRecord, read_record

Kind = Literal[
    "session.queued",
    "session.matched",
    "session.playing",
    "session.away",
    "session.resumed",
    "session.warning",
    "session.ended",
    "streamer.up",
    "streamer.down",
    "streamer.quarantined",
    "events.lost",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STATES: Final = {b"W": "waiting", b"M": "matched", b"C": "matched", b"H": "playing"}

BATCH: Final = 256
"""Events that are read from the store at once."""


class Position(NamedTuple):
    """A place in the stream of events: after this event."""

    entry: str = "0-0"
    """The stream id of the event in Redis."""
    number: int = 0
    """The number of the event since the store was empty."""

    def __str__(self) -> str:
        """Return the form in the store."""
        return f"{self.entry} {self.number}"


def position_of(text: bytes) -> Position:
    """Return a stored position."""
    entry, _, number = text.decode().partition(" ")
    return Position(entry, int(number or 0))


class EventData(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The facts of an event. A fact that its kind does not have, or that is empty, is absent."""

    session: str = ""
    app: str = ""
    streamer: str = ""
    """The key of the streamer."""
    node: str = ""
    person: str = ""
    """A digest of what identifies the player across sessions."""
    spectator: bool = False
    again: bool = False
    """Whether a queued session was queued or matched before."""
    waited_seconds: float | None = None
    """The time from the arrival in the queue to the match."""
    state: Literal["", "waiting", "matched", "playing"] = ""
    """The state in which a session has ended."""
    record: SessionRecord | None = None
    """The record of a session that has ended, if records are kept."""
    limit: Literal["", "time", "idle"] = ""
    """The limit of which a player is warned."""
    until: float | None = None
    """The end of a quarantine, in unix time in seconds."""
    count: int | None = None
    """The number of lost events; absent if it is unknown."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as webhooks and listeners receive it."""

    id: str
    """The key of idempotency: the same for each delivery of the same event."""
    type: Kind
    timestamp: str
    """The time of the event, in the form of RFC 3339."""
    data: EventData = EventData()


class StoredEvent(NamedTuple):
    """An event with its position in the stream."""

    position: Position
    subject: str
    """The session or the streamer: events of the same subject are delivered in order."""
    event: Event


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender reports to the store each time before it sends."""

    webhook: str
    """Empty to keep events on only."""
    sender: str
    lead_seconds: float
    """The time for which the sender wants the lead over the webhook; 0 to give it up."""
    known: Position | None = None
    """The last position that it knows."""
    delivered: bool = False
    """Whether that is the position until which this sender has delivered, which the store then keeps."""
    keep: int
    """The events that the store keeps."""


class Turned(NamedTuple):
    """The answer of the store to a turn."""

    leads: bool
    position: Position
    """The position until which events are delivered."""
    latest: int
    """The number of the latest event."""
    lost_position: bool
    """Whether the store has lost its data, and with them the position."""


def timestamp(seconds: float) -> str:
    """Return a unix time in the form of RFC 3339, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_of(entry: Sequence[Any]) -> StoredEvent:
    """Return the event of an entry of the stream."""
    entry_id, words = entry
    facts: dict[bytes, bytes] = dict(zip(words[::2], words[1::2], strict=True))
    kind, subject, at = facts[b"k"].decode(), facts[b"s"].decode(), int(facts[b"at"]) / 1e6
    matched = kind == "session.matched"
    until = facts.get(b"until")
    data = EventData(
        session=subject if kind.startswith("session.") else "",
        app=_text(facts, b"app"),
        streamer=_text(facts, b"streamer") if kind.startswith("session.") else subject,
        node=_text(facts, b"node"),
        person=_text(facts, b"person"),
        spectator=facts.get(b"sh") == b"1",
        again=facts.get(b"again") == b"1",
        waited_seconds=round(at - int(facts[b"arr"]) / 1e6, 3) if matched and facts.get(b"arr") else None,
        state=STATES.get(facts.get(b"state", b""), ""),  # type: ignore[arg-type]  # the values are those of the field
        record=read_record(facts[b"record"]) if b"record" in facts else None,
        limit=_text(facts, b"limit"),  # type: ignore[arg-type]  # the signalling server reports these
        until=int(until) / 1e6 if until is not None else None,
    )
    position = Position(entry_id.decode(), int(facts[b"n"]))
    return StoredEvent(
        position,
        subject,
        Event(id=f"evt_{position.entry}", type=kind, timestamp=timestamp(at), data=data),  # type: ignore[arg-type]  # written by the scripts
    )


def lost_event(before: Position, after: Position, at: float, count: int | None) -> StoredEvent:
    """Return the event that reports a gap between two positions; it has the same id each time."""
    event = Event(
        id=f"lost_{before.entry}_{after.entry}",
        type="events.lost",
        timestamp=timestamp(at),
        data=EventData(count=count),
    )
    return StoredEvent(before, "events.lost", event)


def _text(facts: dict[bytes, bytes], name: bytes) -> str:
    return facts.get(name, b"").decode()
