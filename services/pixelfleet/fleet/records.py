"""Records of sessions: what a service reports of a running one, and what is kept of one that has ended. No I/O.

The scripts of the store (`redis/lua/steps/records.lua`) put a record together when a session ends: from the request of
its player (`Origin`), from the last report of its signalling server (`SessionFacts`), and from the lease.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from pixelfleet.protocol import close_codes, endings
from pixelfleet.protocol.endings import Ending

AddressMode = Literal["hash", "full", "off"]
"""Whether a record has a keyed hash of the player's address, the address, or nothing."""

ADDRESS_AUDIENCE: Final = "pixelfleet-record-address"
ADDRESS_DIGITS: Final = 16
"""Hexadecimal digits of the hash of an address."""

PLAYER: Final = "player"
OPERATOR: Final = "operator"
STREAMER: Final = "streamer"
SERVER: Final = "server"

_BY_STREAMER: Final = frozenset(
    each.code
    for each in (close_codes.DISCONNECTED_BY_STREAMER, close_codes.STREAMER_LEFT, close_codes.STREAM_UNAVAILABLE)
)
_BY_PLAYER: Final[Mapping[int, Ending]] = {
    close_codes.NORMAL.code: Ending.LEFT,
    1001: Ending.CLOSED,
    close_codes.NO_STATUS: Ending.LEFT,
    close_codes.ABNORMAL: Ending.LOST,
    close_codes.PONG_TIMEOUT.code: Ending.TIMED_OUT,
    close_codes.RETURNING.code: Ending.CLOSED,
    close_codes.PLAYER_CLOSED.code: Ending.CLOSED,
    close_codes.PLAYER_LOST.code: Ending.LOST,
    close_codes.PLAYER_TIMED_OUT.code: Ending.TIMED_OUT,
}


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What the signalling server of a session reports of it. A page's own measurements are unverified."""

    first_frame_seconds: dict[str, float] = {}
    """The seconds of each step to the first frame (`pixelfleet.protocol.first_frame`); empty before it."""
    path: str = ""
    """`direct` or `relayed`; empty while it is unknown."""
    codec: str = ""
    """The video codec, such as H264."""
    longest_stall_seconds: float = 0.0
    """The longest time without a new picture."""
    resumed: int = 0
    """How often its page has returned to it."""
    away_seconds: float = 0.0
    """The time without a connection, in sum."""
    ends_at: float | None = None
    """The unix time at which a limit ends the session, unless something changes."""
    played_seconds: float | None = None
    """The time from the player's connection to the end; only of a session that has ended."""
    ending: str = ""
    code: int = 0
    """The close code of the end."""
    by: str = ""
    """Who ended the session: `player`, `operator`, `streamer` or `server`."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What the request of a player adds to the record of its session."""

    who: str = ""
    """The subject of its link, token or password; empty for a player that has none."""
    address: str = ""
    """Its address, or a hash of that."""
    labels: dict[str, str] = {}
    spectator: bool = False


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session that has ended. Times are unix times on the fleet store's clock, in seconds."""

    session: str
    app: str
    who: str = ""
    address: str = ""
    labels: dict[str, str] = {}
    spectator: bool = False
    streamer: str = ""
    """The streamer's key; empty for a session that was never matched."""
    node: str = ""
    queued_at: float | None = None
    """None for a player that has dialled its signalling server itself."""
    matched_at: float | None = None
    ended_at: float
    first_frame_seconds: dict[str, float] = {}
    path: str = ""
    codec: str = ""
    longest_stall_seconds: float = 0.0
    resumed: int = 0
    away_seconds: float = 0.0
    played_seconds: float | None = None
    ending: str = ""
    code: int = 0
    by: str = ""
    operator: str = ""
    """The name of the operator that ended it; empty if it is unknown, or if no operator did."""
    cause: Annotated[str, Meta(description="why the store ended it, if no service reported a reason")] = ""

    @property
    def server(self) -> str:
        """The id of its signalling server; empty for a session that was never matched."""
        return unquote(self.streamer.partition("/")[0])

    @property
    def waited_seconds(self) -> float | None:
        """The time in the queue; None for a player that was never in it."""
        if self.queued_at is None:
            return None
        return max(0.0, (self.ended_at if self.matched_at is None else self.matched_at) - self.queued_at)

    @property
    def started_at(self) -> float | None:
        """The time at which its player was connected to the streamer, as far as it is known."""
        if self.played_seconds is not None:
            return self.ended_at - self.played_seconds
        return None if self.cause == "abandoned" else self.matched_at

    @property
    def seconds_played(self) -> float:
        """The time with the streamer; 0 for a session that never had one."""
        started = self.started_at
        return 0.0 if started is None else max(0.0, self.ended_at - started)

    @property
    def end(self) -> "End":
        """Why it ended, and by whom."""
        if self.operator:
            return End(close_codes.KICKED.label, OPERATOR)
        if self.ending:
            return End(self.ending, self.by)
        if self.code:
            known = end_of(self.code)
            # A player that leaves the queue has had no session.
            return End("abandoned", PLAYER) if known.by == PLAYER and self.cause == "abandoned" else known
        return _CAUSES.get(self.cause, End("unknown", SERVER))


class StoredRecord(NamedTuple):
    """A record with its id, which grows from record to record and begins with the time in milliseconds."""

    id: str
    record: SessionRecord


class End(NamedTuple):
    """The end of a session."""

    ending: str
    """How the player's connection ended (`Ending`), the label of a close code, `abandoned` for a player that left the
    queue, `server_lost` or `streamer_lost` for a session whose end nobody reported, or `unknown`."""
    by: str


_CAUSES: Final = {
    "abandoned": End("abandoned", PLAYER),
    "left": End(Ending.LEFT.value, PLAYER),
    "server_lost": End("server_lost", SERVER),
    "streamer_lost": End("streamer_lost", STREAMER),
}

NO_FACTS: Final = SessionFacts()
NO_ORIGIN: Final = Origin()

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(SessionRecord).decode
_decode_origin: Final = msgspec.json.Decoder(Origin).decode
_decode_facts: Final = msgspec.json.Decoder(SessionFacts).decode


def read_record(stored: bytes) -> SessionRecord:
    """Return a stored record. Raises msgspec.DecodeError."""
    return _decode(stored)


def facts_text(facts: SessionFacts) -> str:
    """Return what a server reports of a session as JSON."""
    return _encode(facts).decode()


def read_facts(text: bytes | None) -> SessionFacts:
    """Return what a server has reported of a session; no facts without a text."""
    return NO_FACTS if text is None else _decode_facts(text)


def end_of(code: int) -> End:
    """Return the end for a close code of the player's connection.

    A client can close its connection with any code, so the code of an operator's kick counts as its own.
    """
    if code in _BY_PLAYER:
        return End(_BY_PLAYER[code].value, PLAYER)
    known = close_codes.find(code)
    if known is None or known is close_codes.KICKED:
        return End(endings.ending_of(code).value, PLAYER)
    return End(known.label, STREAMER if code in _BY_STREAMER else SERVER)


def origin_text(origin: Origin | None) -> bytes:
    """Return what a record has from a request as JSON without braces; empty for None or an empty origin."""
    return b"" if origin is None else _encode(origin)[1:-1]


def read_origin(text: bytes | None) -> Origin:
    """Return the origin of a stored ticket; an empty one without a text."""
    return NO_ORIGIN if text is None else _decode_origin(b"{%b}" % text)


def recorded_address(address: str, mode: AddressMode, key: bytes) -> str:
    """Return what a record has of an address: a hash with this key, the address itself, or nothing."""
    if mode == "off" or not address:
        return ""
    if mode == "full":
        return address
    return hmac.new(key, address.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:ADDRESS_DIGITS]


def address_key(session_key: str) -> bytes:
    """Return the key of the hashes of addresses. All replicas with this session key have the same."""
    return hmac.digest(session_key.encode(), ADDRESS_AUDIENCE.encode(), hashlib.sha256)
