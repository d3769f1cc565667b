"""A player that its matchmaker hands over: kept here while it waits, then connected to its signalling server.

`pixelfleet/fleet/handover.py` describes the control messages.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

import structlog

from pixelfleet.fleet import handover
from pixelfleet.fleet.handover import Arrived, Destination, Hold, verify
from pixelfleet.net.dial import DialError
from pixelfleet.net.relay import MAX_EARLY_BYTES, MAX_QUEUED_BYTES, Relay
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.endings import passed_on
from pixelfleet.protocol.messages import pong_for
from pixelfleet.service.signing import TokenError

log = structlog.get_logger(__name__)


class State(Enum):
    """The state of a handover."""

    OFFERED = "offered"
    """The matchmaker has sent nothing yet."""
    HELD = "held"
    """The player waits; its messages are kept here."""
    DIALLING = "dialling"
    """Its signalling server is being dialled."""
    DONE = "done"
    """The player is relayed, to its signalling server or to the matchmaker."""


class Host(Protocol):
    """The owner of a handover."""

    def dial(self, destination: Destination) -> Callable[[], object]:
        """Start to dial a server, which ends in `join_server` or `failed`; return a function that cancels it."""

    def handed_over(self, destination: Destination) -> float:
        """Record that the player is connected to its signalling server; return how many seconds the dial took."""

    def trunk_offered(self) -> None:
        """Record that the matchmaker accepts a trunk."""

    def relayed(self) -> None:
        """Record that the matchmaker relays the player, for good."""


class Handover:
    """The handler of the matchmaker's socket, and of the player's socket until the player is relayed."""

    def __init__(self, relay: Relay, key: bytes, host: Host) -> None:
        self.state = State.OFFERED
        self._relay = relay
        self._key = key
        self._host = host
        self._matchmaker: WebSocket | None = None
        self._lost: tuple[int, str] | None = None
        """The close of a matchmaker that was lost during the dial."""
        self._destination: Destination | None = None
        self._cancel_dial: Callable[[], object] | None = None

    # -- the matchmaker's socket --------------------------------------------------------------------

    def join(self, matchmaker: WebSocket) -> MessageHandler:
        """Take the dialled socket of the matchmaker; return its handler."""
        down = self._relay.down
        if not down.is_open:
            matchmaker.close(passed_on(*down.ended))
            return self
        self._matchmaker = matchmaker
        matchmaker.on_control = self._control
        down.hand_to(_Held(self, self._relay))
        return self

    def message(self, data: bytes) -> None:
        """Forward a message to the player. A matchmaker that begins with one takes no part in handovers."""
        if self.state is State.OFFERED:
            self._relay_to_matchmaker().message(data)
        else:
            self._relay.down.send(data)

    def closed(self, code: int, reason: str) -> None:
        """Close the player with the matchmaker's code; a dial that has begun outlives a matchmaker that was lost."""
        self._matchmaker = None
        if self.state is State.DIALLING and code == close_codes.ABNORMAL:
            self._lost = (code, reason)
        else:
            self._stop()
            self._relay.forward_close(code, reason)

    def _control(self, data: bytes) -> None:
        match handover.read_order(data):
            case Hold(trunk=trunk) if self.state is State.OFFERED:
                self.state = State.HELD
                if trunk:
                    self._host.trunk_offered()
                self._relay.limit_early(MAX_QUEUED_BYTES)
                self._relay.answer_early(pong_for)  # the player may have sent a ping before
            case handover.Handover(destination=text) if self.state is State.HELD:
                self._dial(text)
            case handover.Relay() if self.state is State.HELD:
                self._relay_to_matchmaker()

    def _relay_to_matchmaker(self) -> MessageHandler:
        """Relay the player to the matchmaker, for good; return the handler of the matchmaker's socket."""
        matchmaker = self._matchmaker
        assert matchmaker is not None
        self.state, self._matchmaker = State.DONE, None
        self._host.relayed()
        matchmaker.on_control = None
        self._relay.limit_early(MAX_EARLY_BYTES)
        handler = self._relay.join(matchmaker)
        matchmaker.hand_to(handler)
        self._relay.down.hand_to(self._relay)
        return handler

    # -- the signalling server ----------------------------------------------------------------------

    def _dial(self, text: str) -> None:
        try:
            destination = verify(text, self._key)
        except TokenError as error:
            log.warning("handover refused", why=str(error))
            self._answer(handover.failed(0, f"handover refused: {error}"))
            return
        self.state, self._destination = State.DIALLING, destination
        self._relay.limit_early(MAX_EARLY_BYTES)
        self._cancel_dial = self._host.dial(destination)

    def join_server(self, server: WebSocket) -> MessageHandler:
        """Take the dialled socket of the signalling server: relay the player to it, for good. Returns its handler."""
        destination, down = self._destination, self._relay.down
        assert destination is not None
        self.state, self._cancel_dial = State.DONE, None
        handler = self._relay.join(server)
        if not down.is_open:
            return handler
        down.hand_to(self._relay)
        self._answer(Arrived(self._host.handed_over(destination)))
        self._leave_matchmaker()
        return handler

    def failed(self, error: DialError) -> None:
        """Report a failed dial to the matchmaker; the player waits on."""
        if self.state is not State.DIALLING:
            return
        self._cancel_dial = None
        if self._lost is not None:
            self._relay.forward_close(*self._lost)
            return
        self.state = State.HELD
        self._relay.limit_early(MAX_QUEUED_BYTES)
        self._answer(handover.failed(error.status, str(error)))

    # -- the player's socket ------------------------------------------------------------------------

    def player_closed(self, code: int, reason: str) -> None:
        """Cancel a dial, and close the matchmaker's socket with how the player's connection ended."""
        self._stop()
        self._leave_matchmaker(passed_on(code, reason))

    # -- internals ----------------------------------------------------------------------------------

    def _answer(self, answer: handover.Answer) -> None:
        if self._matchmaker is not None:
            self._matchmaker.send_control(handover.encode(answer))

    def _leave_matchmaker(self, why: CloseCode = close_codes.NORMAL) -> None:
        matchmaker, self._matchmaker = self._matchmaker, None
        if matchmaker is not None:
            matchmaker.on_control = None
            matchmaker.hand_to(None)
            matchmaker.close(why)

    def _stop(self) -> None:
        cancel, self._cancel_dial = self._cancel_dial, None
        if cancel is not None:
            cancel()


class _Held:
    """The handler of a player's socket while the player waits."""

    def __init__(self, handover: Handover, relay: Relay) -> None:
        self._handover = handover
        self._relay = relay

    def message(self, data: bytes) -> None:
        """Answer a ping; keep any other message."""
        if self._handover.state is not State.OFFERED and (pong := pong_for(data)) is not None:
            self._relay.down.send(pong)
        else:
            self._relay.message(data)

    def closed(self, code: int, reason: str) -> None:
        """Handle the close of the player's socket."""
        self._handover.player_closed(code, reason)
        self._relay.closed(code, reason)


PAUSE_SECONDS: Final = 60.0
"""How long a router that reaches no signalling server leaves the dials to the matchmakers."""

FAILURES: Final = 3
"""Dials in a row that got no answer, after which the router pauses."""


class Offers:
    """Decides whether the router offers handovers."""

    def __init__(self, key: bytes) -> None:
        self._writer = handover.ClaimWriter(key) if key else None
        self._failures = 0
        self._paused_until = float("-inf")

    def claim(self, now: float) -> str:
        """Return the claim for a request to a matchmaker; empty for none. `now` is on the loop's clock, in seconds."""
        return self._writer.claim(now) if self._writer is not None and now >= self._paused_until else ""

    def dialled(self, now: float, *, answered: bool) -> None:
        """Record the outcome of a dial of a signalling server."""
        self._failures = 0 if answered else self._failures + 1
        if self._failures >= FAILURES:
            self._failures = 0
            self._paused_until = now + PAUSE_SECONDS
            log.warning("no signalling server can be reached; matchmakers relay the players", seconds=PAUSE_SECONDS)
