"""The handover of a matched player: what a matchmaker and the router that holds the player's socket send each other.

A router that can dial signalling servers sends a signed claim with its request for a websocket. A matchmaker that
accepts the claim first sends `Hold`: the router then keeps the player's messages, and the matchmaker only sends. The
matchmaker ends this state with `Handover`, on which the router dials the signalling server and answers, or with
`Relay`, after which the connection carries the player's messages as it does without a claim.

These control messages are binary frames. A relay sends text frames only, whatever it receives, so that no player,
streamer or signalling server can produce one. The destination of a `Handover` is signed, too. The signatures use a key
that is derived from the session key, so that no session token or link is a valid claim or destination. No I/O.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

CLAIM_HEADER: Final = "X-Pixelfleet-Handover"
"""The header with a router's claim."""

CLAIM_AUDIENCE: Final = "pixelfleet-handover-claim"
DESTINATION_AUDIENCE: Final = "pixelfleet-handover"

LIFETIME_SECONDS: Final = 60
REUSE_SECONDS: Final = 20.0
"""A claim is sent, and remembered as valid, for this time, so that a match costs no signature of its own."""

MAX_REMEMBERED: Final = 1024
"""The valid claims that a matchmaker remembers."""

MAX_REASON_LENGTH: Final = 200


class Hold(msgspec.Struct, tag="hold", frozen=True):
    """To the router: keep the player's messages and answer its pings."""

    trunk: bool = False
    """Whether the matchmaker accepts trunks (`trunks.py`)."""


class Relay(msgspec.Struct, tag="relay", frozen=True):
    """To the router: send the player's messages over this connection, for good."""


class Handover(msgspec.Struct, tag="handover", frozen=True):
    """To the router: dial the destination, and answer with `Arrived` or `Failed`."""

    destination: str
    """A signed `Destination`."""


class Arrived(msgspec.Struct, tag="arrived", frozen=True):
    """From the router: the player is connected to its signalling server. The router then closes this connection."""

    seconds: float
    """The duration of the dial."""


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """From the router: the dial failed, and the router keeps the player's messages as before."""

    status: int
    """The HTTP status of a refusal, or 0."""
    reason: str


class Destination(msgspec.Struct, frozen=True):
    """Where a router has to connect a player."""

    url: str
    """The websocket URL of the signalling server, with the session token."""
    session: str
    """The id of the session, for logs."""
    confirm_seconds: float = 0.0
    """The time for the first message of the player's page after it is connected; 0 is no limit."""
    trace: str = ""
    """The `traceparent` of the matchmaker's span; empty without tracing."""


Order = Hold | Relay | Handover
Answer = Arrived | Failed

_orders: Final[msgspec.json.Decoder[Order]] = msgspec.json.Decoder(Order)
_answers: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def encode(message: Order | Answer) -> bytes:
    """Return the content of a binary frame."""
    return msgspec.json.encode(message)


def read_order(data: bytes) -> Order | None:
    """Return the control message of a matchmaker, or None for any other content."""
    try:
        return _orders.decode(data)
    except msgspec.DecodeError:
        return None


def read_answer(data: bytes) -> Answer | None:
    """Return the control message of a router, or None for any other content."""
    try:
        return _answers.decode(data)
    except msgspec.DecodeError:
        return None


def failed(status: int, reason: str) -> Failed:
    """Return the answer for a failed dial, with a reason of bounded length."""
    return Failed(status, reason[:MAX_REASON_LENGTH])


def sign(destination: Destination, key: bytes) -> str:
    """Return a destination as a signed string."""
    claims = {"url": destination.url, "sub": destination.session, "confirm": destination.confirm_seconds}
    if destination.trace:
        claims["trace"] = destination.trace
    return signing.sign(claims, key, audience=DESTINATION_AUDIENCE, seconds=LIFETIME_SECONDS)


def verify(text: str, key: bytes) -> Destination:
    """Return a destination that was signed with this key; raise TokenError for any other."""
    claims = signing.verify(text, key, audience=DESTINATION_AUDIENCE, required=("sub", "url"))
    try:
        # A matchmaker of an earlier release gives no time.
        seconds, trace = claims.get("confirm", 0.0), claims.get("trace", "")
        return msgspec.convert(
            {"url": claims["url"], "session": claims["sub"], "confirm_seconds": seconds, "trace": trace}, Destination
        )
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None


def handover_key(session_key: str) -> bytes:
    """Return the key of claims and destinations."""
    return hmac.digest(session_key.encode(), DESTINATION_AUDIENCE.encode(), hashlib.sha256)


class ClaimWriter:
    """Signs the claim of a router, once for all players of REUSE_SECONDS."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._claim = ""
        self._signed_at = float("-inf")

    def claim(self, now: float) -> str:
        """Return a claim; `now` is on the loop's clock, in seconds."""
        if now - self._signed_at >= REUSE_SECONDS:
            self._claim = signing.sign({}, self._key, audience=CLAIM_AUDIENCE, seconds=LIFETIME_SECONDS)
            self._signed_at = now
        return self._claim


class ClaimReader:
    """Verifies the claims of routers, each once in REUSE_SECONDS."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._valid_until: dict[str, float] = {}

    def check(self, claim: str, now: float) -> None:
        """Raise TokenError for an invalid claim; `now` is on the loop's clock, in seconds."""
        if now < self._valid_until.get(claim, 0.0):
            return
        signing.verify(claim, self._key, audience=CLAIM_AUDIENCE)
        if len(self._valid_until) >= MAX_REMEMBERED:
            self._valid_until.clear()
        self._valid_until[claim] = now + REUSE_SECONDS
